"""The threats and faults that the project took on, by the rows of its threat table, and the tests that stand for each.

A test that is renamed or lost leaves its row without one, and fails here.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

INVITED = "rooms/test_invitation_rows.py::"
FLOWS = "flows/test_invitations.py::"
ROWS: dict[str, tuple[str, ...]] = {
    # Who owns an account
    "A4": (
        "flows/test_account.py::test_a_link_on_its_way_dies_with_what_it_was_asked_under",
        "flows/test_reset.py::test_everything_else_that_opened_the_account_ends",
    ),
    "A10": (
        "flows/test_account.py::test_of_two_changes_the_older_link_dies",
        "proof/test_owner_races.py::test_of_changes_at_once_one_link_lives_and_sets_its_own_address",
    ),
    # Invitations and codes
    "C1": (f"{INVITED}test_c1_a_token_with_one_bit_changed_opens_nothing",),
    "C2": (
        f"{INVITED}test_c2_no_other_token_opens_an_invitation",
        f"{INVITED}test_c2_the_token_of_an_invitation_opens_nothing_else",
        f"{INVITED}test_c2_a_token_is_of_one_organization",
    ),
    "C3": (
        f"{FLOWS}test_a_row_names_its_own_role_and_groups",
        f"{FLOWS}test_a_manager_invites_with_the_lowest_role_into_his_groups",
        f"{FLOWS}test_another_role_keeps_another_seat",
        f"{FLOWS}test_c7_an_inviter_who_may_no_longer_takes_his_invitations_with_him",
    ),
    "C4": (
        f"{FLOWS}test_an_existing_account_needs_the_invited_address_proved",
        f"{INVITED}test_c4_the_link_is_the_invited_ones_alone",
    ),
    "C5": (
        "proof/test_invitation_races.py::test_c5_one_link_pressed_by_one_person_many_times",
        "proof/test_invitation_races.py::test_c5_one_link_used_by_many_who_are_new",
    ),
    "C6": (
        f"{FLOWS}test_c6_it_ends_to_the_second_though_nobody_cleans_up",
        f"{INVITED}test_c6_no_new_password_by_an_invitation",
    ),
    "C7": (
        f"{INVITED}test_c7_all_that_ends_it_ends_it_at_once",
        f"{FLOWS}test_c7_what_was_sent_again_taken_back_or_shut_is_dead_at_once",
        f"{FLOWS}test_c7_a_manager_without_the_group_lets_nobody_in",
        "proof/test_invitation_races.py::test_c7_a_link_taken_back_while_it_is_used",
    ),
    "C8": (
        "proof/test_canary.py::test_c8_no_token_of_an_invitation_rests_anywhere",
        "flows/test_invitation_mail.py::test_c8_the_outbox_holds_no_link",
        f"{INVITED}test_c8_the_address_with_the_token_goes_nowhere",
    ),
    "C9": (
        f"{FLOWS}test_c9_a_copied_link_proves_nothing",
        f"{FLOWS}test_c9_by_a_link_for_the_unproved_one_gets_the_lowest_role_and_nothing_of_ones_own",
    ),
    "C10": (
        f"{INVITED}test_c10_looking_changes_nothing",
        f"{INVITED}test_c10_a_program_that_sends_the_forms_changes_nothing",
        "rooms/test_not_for_me.py::test_c10_a_form_without_a_choice_changes_nothing",
        "browser/test_invitation.py::test_c10_a_program_that_opens_and_sends_everything_changes_nothing",
    ),
    "C11": (
        f"{FLOWS}test_c11_one_address_gets_three_mails_a_day_whoever_sends",
        f"{FLOWS}test_c11_an_unknown_organization_sends_few",
        f"{FLOWS}test_c11_sending_again_counts_too",
        f"{FLOWS}test_not_for_me_ends_it_and_is_remembered",
        "rules/test_limits.py::test_of_many_who_take_the_last_at_once_one_gets_it",
    ),
    "C12": (
        "flows/test_invitation_mail.py::test_c12_nothing_that_somebody_wrote_becomes_a_link",
        "flows/test_invitation_mail.py::test_c12_no_free_text_of_an_organization_that_nobody_knows",
        "flows/test_invitation_mail.py::test_c12_the_sender_is_always_ours",
    ),
    "C13": (f"{INVITED}test_c13_no_header_changes_the_link_in_the_mail",),
    "C14": (f"{INVITED}test_c14_nothing_leads_elsewhere",),
    "C15": (
        f"{FLOWS}test_c15_an_invitation_goes_round_no_rule_of_the_door",
        "flows/test_suspend.py::test_nobody_comes_in_by_any_way",
    ),
    "C16": (
        "flows/test_enumeration.py::test_a_dead_code_tells_nothing_of_itself",
        "flows/test_enumeration.py::test_wrong_guesses_of_every_kind_count_alike",
    ),
    "C17": (
        "proof/test_code_races.py::test_the_last_uses_of_a_code",
        "proof/test_code_races.py::test_the_last_places_by_code_and_by_hand",
        "proof/test_code_races.py::test_nobody_comes_in_by_a_code_that_was_rotated",
    ),
    "C18": (
        f"{FLOWS}test_c18_ids_of_another_house_are_nobody",
        "contract/test_locks.py::test_a_foreign_id_is_as_one_that_nobody_has",
    ),
    # Faults
    "R3": (
        "proof/test_mail_crash.py::test_killed_at_every_point_of_one_mail",
        "proof/test_mail_crash.py::test_workers_killed_at_random",
        "proof/test_invitation_crash.py::test_killed_at_every_point",
        "proof/test_invitation_crash.py::test_workers_killed_at_random",
    ),
    "R4": (
        "platform/test_mail.py::test_busy_then_free",
        "platform/test_mail.py::test_a_refusal_for_good_ends_it",
        "platform/test_mail.py::test_a_line_that_breaks_after_the_text_brings_the_same_mail_again",
        "platform/test_mail.py::test_a_certificate_that_nobody_vouches_for_gets_no_mail",
        "platform/test_mail.py::test_a_mail_that_never_goes_out_is_given_up_after_two_days",
        "platform/test_smtp_line.py::test_a_slow_server_is_waited_for_after_the_text",
        "platform/test_smtp_line.py::test_421_is_a_rest_for_all_and_costs_no_mail",
        "platform/test_work.py::test_one_noisy_organisation_holds_up_nobody",
    ),
    "R14": (
        f"{FLOWS}test_the_same_order_sent_twice_invites_nobody_twice",
        "rooms/test_invitation_page.py::test_r14_the_form_sent_twice_is_one_person_who_is_in",
        "rooms/test_invitation_page.py::test_r14_two_clicks_of_somebody_signed_in",
    ),
    "R15": (
        "platform/test_smtp_workers.py::test_a_worker_that_slept_past_its_lease_sends_no_second_copy",
        "platform/test_work.py::test_who_overslept_changes_nothing",
    ),
}


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_tests(row: str) -> None:
    lost = [named for named in ROWS[row] if named.partition("::")[2] not in functions_of(named.partition("::")[0])]
    assert lost == []
