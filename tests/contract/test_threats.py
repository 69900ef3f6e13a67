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
SSO = "flows/test_single_sign_on.py::"
HOSTILE = "flows/test_sso_hostile.py::"
ATTACKS = "flows/test_sso_attacks.py::"
ONLY = "flows/test_sso_only.py::"
RETURNS = "flows/test_sso_returns.py::"
THREATS = "flows/test_sso_threats.py::"
LAUNCH = "flows/test_lti_launch.py::"
ASKED = "flows/test_lti_questions.py::"
FRAMED = "browser/test_lti.py::"
TOKEN = "protocols/test_oidc_id_token.py::"
ROWS: dict[str, tuple[str, ...]] = {
    # Who owns an account
    "A1": (
        f"{THREATS}test_a1_a3_what_another_made_for_the_address_is_never_merged",
        f"{SSO}test_made_in_september_claimed_in_october",
        "flows/test_vouched.py::test_a_proof_of_the_mailbox_takes_it_over",
        "flows/test_vouched.py::test_another_organisation_imports_the_address_as_if_there_were_nobody",
    ),
    "A2": (
        f"{THREATS}test_a2_every_session_from_before_ends_with_the_first_sign_in",
        "rules/test_claim.py::test_every_session_of_every_account_with_the_address_ends",
        "flows/test_reset.py::test_everything_else_that_opened_the_account_ends",
        "flows/test_sessions.py::test_another_password_ends_all_others",
    ),
    "A3": (
        "rules/test_claim.py::test_everything_that_hangs_on_an_account_is_classified",
        "rules/test_claim.py::test_every_kind_of_credential_is_wiped",
        "flows/test_passkey_rules.py::test_a_claim_takes_the_passkeys",
        "flows/test_vouched.py::test_a_second_factor_that_somebody_set_up_goes_too",
        "proof/test_claims.py::test_any_order_of_attacks",
    ),
    "A4": (
        "flows/test_account.py::test_a_link_on_its_way_dies_with_what_it_was_asked_under",
        "flows/test_reset.py::test_everything_else_that_opened_the_account_ends",
    ),
    "A5": (
        f"{HOSTILE}test_a5_b5_no_provider_of_another_organisation_opens_or_changes_anybody",
        f"{HOSTILE}test_a5_microsofts_own_word_for_anothers_address_asks_and_takes_nothing",
        f"{HOSTILE}test_a5_two_organisations_with_one_issuer_and_client_share_nobody",
        f"{SSO}test_another_organisations_provider_opens_nobody_here",
    ),
    "A10": (
        "flows/test_account.py::test_of_two_changes_the_older_link_dies",
        "proof/test_owner_races.py::test_of_changes_at_once_one_link_lives_and_sets_its_own_address",
    ),
    "A13": (
        f"{HOSTILE}test_a13_a_provider_proves_no_mailbox",
        "flows/test_vouched.py::test_one_of_another_organisation_wants_the_mailbox",
        "flows/test_vouched.py::test_a_code_for_a_domain_takes_the_word_of_its_own_organisation_alone",
    ),
    # Single sign-on and domains
    "B1": (
        f"{HOSTILE}test_b1_the_same_address_of_another_tenant_or_person_is_somebody_else",
        f"{HOSTILE}test_b1_an_odd_object_id_is_nobody_else",
        f"{SSO}test_an_invitation_is_not_given_to_who_only_says_the_address",
    ),
    "B2": (
        f"{HOSTILE}test_b2_pairs_of_issuer_and_tenant",
        f"{HOSTILE}test_b2_a_guest_needs_the_switch_and_never_has_the_address",
        f"{TOKEN}test_issuer_and_tenant_fit_together",
        f"{TOKEN}test_a_key_for_one_tenant_signs_for_no_other",
        f"{SSO}test_nobody_is_taken_in_whom_nobody_connected",
    ),
    "B3": (
        f"{HOSTILE}test_b3_hosted_domains",
        f"{HOSTILE}test_b3_an_address_outside_the_proved_domain_is_nobodys",
    ),
    "B4": (
        f"{HOSTILE}test_b4_a_domain_that_was_lost_opens_nothing_more",
        f"{SSO}test_an_address_that_was_given_to_somebody_else_opens_nothing",
        "flows/test_domains.py::test_a_proof_that_stays_away_is_lost",
    ),
    "B5": (
        "proof/test_domain_races.py::test_of_organisations_that_prove_one_domain_at_once_one_has_it",
        "rules/test_domain_names.py::test_the_end_of_a_string_is_no_parent",
        "rules/test_domain_names.py::test_what_many_share_is_nobodys",
        "flows/test_domains.py::test_the_record_of_another_organisation_proves_nothing",
        "flows/test_domains.py::test_a_domain_is_added_once_and_opens_nothing",
    ),
    "B6": (
        f"{HOSTILE}test_b6_an_address_that_can_be_read_in_two_ways_leads_nowhere",
        f"{HOSTILE}test_b6_a_name_is_text_on_every_page_and_in_every_mail",
        "rules/test_addresses.py::test_refused",
        "rules/test_addresses.py::test_any_valid_address_is_taken_whole_or_refused",
    ),
    "B7": (
        f"{ATTACKS}test_b7_b8_a_state_or_question_of_one_organisation_is_nothing_at_another",
        f"{RETURNS}test_a_code_for_one_registration_is_not_taken_at_another",
        f"{RETURNS}test_an_issuer_that_is_not_the_one_asked_is_refused",
        "protocols/test_oidc_exchange.py::test_a_code_of_another_provider",
        "protocols/test_oidc_exchange.py::test_a_code_of_another_tenant",
    ),
    "B8": (
        f"{RETURNS}test_a_return_works_once",
        f"{RETURNS}test_another_browser_cannot_return",
        f"{RETURNS}test_no_state_no_sign_in",
        f"{RETURNS}test_two_states_are_none",
        f"{RETURNS}test_the_codes_of_two_trips_cannot_be_swapped",
        f"{RETURNS}test_a_trip_takes_ten_minutes_at_most",
        f"{TOKEN}test_oidcc_client_test_nonce_invalid",
        "protocols/test_oidc_exchange.py::test_nothing_extra_undoes_the_protection",
    ),
    "B9": (
        f"{TOKEN}test_oidcc_client_test_idtoken_sig_none",
        f"{TOKEN}test_oidcc_client_test_invalid_sig_hs256",
        f"{TOKEN}test_a_key_in_the_header_is_not_used",
        f"{TOKEN}test_a_key_name_is_only_a_name",
        f"{TOKEN}test_critical_extensions",
        f"{TOKEN}test_encrypted_and_other_shapes",
        f"{TOKEN}test_any_header_is_answered",
        "protocols/test_oidc_provider.py::test_no_list_of_keys",
    ),
    "B10": (
        "platform/test_documents.py::test_a_hundred_unknown_keys",
        "platform/test_documents.py::test_served_stale_for_a_day",
        "platform/test_fetch.py::test_slow_body",
        "platform/test_fetch.py::test_too_large",
        "platform/test_fetch.py::test_private_addresses",
        f"{RETURNS}test_changed_keys_are_fetched_once",
        f"{RETURNS}test_keys_that_cannot_be_had_let_nobody_in",
    ),
    "B11": (
        f"{TOKEN}test_who_and_for_whom",
        f"{TOKEN}test_times",
        f"{TOKEN}test_any_other_claim_signed_by_the_provider",
        "protocols/test_oidc_exchange.py::test_oidcc_client_test_userinfo_invalid_sub",
    ),
    "B12": (
        f"{ONLY}test_b12_no_other_way_leads_in",
        f"{ONLY}test_b12_a_code_lets_in_only_whom_the_provider_knows",
        f"{ONLY}test_b12_an_invitation_makes_no_member_whom_the_provider_does_not_know",
        f"{ONLY}test_d6_the_mail_of_who_has_nothing_else_holds_no_link",
        f"{ONLY}test_b12_nor_one_for_the_unproved",
        f"{ONLY}test_every_page_of_it_is_shut",
    ),
    "B13": (
        f"{ONLY}test_b13_a_provider_brings_nobody_back",
        f"{SSO}test_who_was_deactivated_stays_out_by_this_door_too",
        f"{SSO}test_a_suspended_organisation_lets_nobody_in",
        f"{THREATS}test_b13_whom_nobody_lets_in_leaves_nothing_behind",
        "flows/test_suspend.py::test_nobody_comes_in_by_any_way",
        "flows/test_tickets.py::test_who_was_deactivated_stays_out_by_every_code",
        "flows/test_registration.py::test_who_was_deactivated_there_does_not_come_in_by_registering",
    ),
    "B14": (
        f"{HOSTILE}test_b14_no_rules_make_an_admin_and_what_is_incomplete_gives_nothing",
        f"{HOSTILE}test_b14_a_rule_with_many_stars_costs_no_time",
        f"{SSO}test_no_rule_makes_an_admin",
        f"{SSO}test_what_graph_does_not_tell_gives_nothing",
        f"{SSO}test_roles_of_the_tenant_groups_and_the_overage",
    ),
    "B15": (
        f"{ATTACKS}test_b15_nobody_but_its_own_admins_sees_or_changes_a_connection",
        "rooms/test_integrations.py::test_changes_ask_who_it_is_after_ten_minutes",
        "rooms/test_integrations.py::test_other_organisations_and_ranks_find_nothing",
        "rooms/test_integrations.py::test_without_a_test_it_is_not_switched_on",
        "rooms/test_integrations.py::test_options_are_changed_and_told",
        f"{ONLY}test_b15_somebody_marked_has_to_have_a_password",
        f"{ONLY}test_b15_the_last_one_who_could_get_in_stays",
        f"{ONLY}test_a_change_is_told_to_all_admins_and_in_the_events",
        f"{ONLY}test_b15_the_page_is_for_admins_with_a_fresh_proof",
        f"{ONLY}test_b15_passwords_stay_as_long_as_no_provider_is_on",
    ),
    "B16": (
        f"{THREATS}test_b16_a_proof_links_only_whom_it_was_asked_for",
        f"{SSO}test_a_question_is_of_one_browser",
        f"{RETURNS}test_a_link_needs_the_same_person_on_the_way_back",
    ),
    # Sessions and guessing; running it
    "D6": (
        "flows/test_sso_only.py::test_d6_the_mail_of_who_has_nothing_else_holds_no_link",
        "flows/test_sso_only.py::test_d6_the_others_get_their_link",
    ),
    "K6": (
        "flows/test_sso_only.py::test_k6_the_command_line_opens_a_locked_house",
        "flows/test_sso_only.py::test_k6_the_command_line_keeps_the_rules_too",
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
    # LTI 1.3
    "H1": (
        f"{LAUNCH}test_no_defect_gets_in",
        f"{LAUNCH}test_keys_may_change_on_the_way",
        f"{LAUNCH}test_a_flood_of_unknown_keys_asks_the_lms_once",
    ),
    "H2": (
        f"{LAUNCH}test_a_launch_is_good_once",
        f"{LAUNCH}test_a_launch_belongs_to_the_browser_that_began_it",
        f"{LAUNCH}test_a_state_lasts_ten_minutes",
        f"{LAUNCH}test_two_launches_at_once_are_two",
    ),
    "H3": (
        f"{LAUNCH}test_no_defect_gets_in",
        f"{LAUNCH}test_another_organisation_with_the_same_registration_sees_nobody",
    ),
    "H4": (
        f"{LAUNCH}test_an_unknown_deployment_waits_for_an_admin",
        f"{LAUNCH}test_a_shared_lms_leads_to_the_organisation_of_the_deployment",
        "rooms/test_lti_platforms.py::test_h4_a_deployment_of_a_shared_lms_leads_to_one_organisation",
    ),
    "H5": (
        f"{ASKED}test_whoever_resembles_a_member_is_asked",
        f"{ASKED}test_a_stranger_elsewhere_is_nobody_here",
        f"{ASKED}test_a_wrong_password_links_nothing",
        f"{ASKED}test_a_second_factor_is_not_passed_by",
        f"{ASKED}test_the_question_is_this_browsers",
    ),
    "H6": (
        f"{LAUNCH}test_an_admin_of_the_lms_is_no_admin_here",
        "protocols/test_lti13_roles.py::test_no_role_elsewhere_makes_more_than_a_learner",
        "rooms/test_lti_platforms.py::test_instructors_get_the_role_above_the_lowest_and_nobody_is_made_an_admin",
    ),
    "H7": (f"{LAUNCH}test_a_login_leads_to_this_lms_alone",),
    "H8": (
        f"{LAUNCH}test_a_launch_never_touches_the_session_of_the_house",
        f"{LAUNCH}test_a_launch_opens_no_page_of_the_house",
        f"{LAUNCH}test_the_next_one_at_a_shared_computer_finds_nothing",
        f"{FRAMED}test_h8_a_launch_leaves_the_session_of_the_house_alone",
        f"{FRAMED}test_h8_whoever_comes_later_ends_what_was_open",
    ),
    "H9": (
        "flows/test_lti_cookies.py::test_a_browser_is_tried_before_it_sets_off",
        "flows/test_lti_cookies.py::test_the_state_is_never_passed_over",
        f"{FRAMED}test_h9_without_cookies_a_window_opens_the_same",
        f"{FRAMED}test_h9_without_cookies_the_storage_of_the_lms_does",
    ),
    "H10": (
        "rooms/test_lti_frames.py::test_h10_the_lms_alone_shows_pages_of_a_launch_and_nobody_any_other",
        "rooms/test_lti_platforms.py::test_h10_only_the_lms_may_frame_and_nothing_is_smuggled_in",
        f"{FRAMED}test_h10_no_other_site_frames_a_launch",
    ),
    "H11": (
        f"{LAUNCH}test_h11_keys_that_cannot_be_had_let_nobody_in",
        f"{LAUNCH}test_h11_an_lms_at_a_private_address_is_not_asked",
        "rooms/test_lti_registration.py::test_h11_a_registration_leads_to_nothing_inside",
        "rooms/test_lti_registration.py::test_h11_who_holds_the_link_asks_not_often",
        "rooms/test_lti_columns.py::test_no_token_follows_an_address_to_another_machine",
        "rooms/test_lti_roster.py::test_the_token_is_never_shown_to_another_server",
    ),
    "H12": (
        "rooms/test_lti_frames.py::test_h12_the_answer_goes_where_the_request_said_and_nowhere_else",
        "rooms/test_lti_frames.py::test_h12_data_comes_back_as_it_was_and_only_where_there_was_some",
        "rooms/test_lti_frames.py::test_h12_one_request_has_one_answer",
        "rooms/test_lti_frames.py::test_h12_nobody_elses_browser_answers",
        "rooms/test_lti_frames.py::test_h12_an_activity_of_another_house_is_not_answered",
    ),
    "H13": (
        "rooms/test_lti_columns.py::test_it_goes_into_no_column_but_that_of_the_launch",
        "rooms/test_lti_columns.py::test_out_of_range",
        "rooms/test_lti_grades.py::test_the_same_score_once_more_is_not_sent_once_more",
        "rooms/test_lti_grades.py::test_what_has_changed_since_is_looked_at_when_it_is_sent",
    ),
    "H14": (
        "rooms/test_lti_roster.py::test_h14_a_roster_that_is_not_whole_changes_nothing",
        "rooms/test_lti_roster.py::test_h14_an_empty_roster_where_people_were_changes_nothing",
        "rooms/test_lti_roster.py::test_h14_the_roster_of_another_course_changes_nothing",
        "rooms/test_lti_roster.py::test_h14_a_next_page_that_cannot_be_followed_is_not_taken_for_the_end",
        "rooms/test_lti_roster.py::test_removals_above_the_limit_are_held_while_additions_go_through",
    ),
    "H15": (
        f"{LAUNCH}test_somebody_deactivated_stays_out",
        f"{LAUNCH}test_a_connection_that_is_off_lets_nobody_in",
        f"{LAUNCH}test_a_removed_deployment_lets_nobody_in",
        f"{LAUNCH}test_a_suspended_organisation_lets_nobody_in",
        f"{ASKED}test_somebody_sent_away_does_not_come_back_by_the_lms",
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
