"""The stand-ins for Entra and Graph speak as Microsoft documents it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import requests
from relying import BASIC, CALLBACK, GLOBAL_ADMIN, GRAPH, Client, bearer, told
from standins import StandIns, StoppedError


class TestEntra:
    @pytest.mark.parametrize("authority", ["organizations", "common"])
    def test_the_document_for_many_tenants_has_a_template_for_its_issuer(self, idp: StandIns, authority: str) -> None:
        metadata = Client(idp, "platform", idp.authority(authority)).metadata()
        assert metadata["issuer"] == f"{idp.entra}/{{tenantid}}/v2.0"
        assert metadata["authorization_endpoint"] == f"{idp.entra}/{authority}/oauth2/v2.0/authorize"
        assert metadata["token_endpoint"] == f"{idp.entra}/{authority}/oauth2/v2.0/token"
        assert metadata["jwks_uri"] == f"{idp.entra}/{authority}/discovery/v2.0/keys"
        assert metadata["subject_types_supported"] == ["pairwise"]

    def test_the_document_of_a_tenant_names_it(self, idp: StandIns, cedar: Client) -> None:
        assert cedar.metadata()["issuer"] == f"{idp.entra}/{idp.tenants['cedar']}/v2.0"
        by_domain = Client(idp, "cedar", f"{idp.entra}/cedar.example/v2.0").metadata()
        assert by_domain["issuer"] == cedar.metadata()["issuer"]

    def test_an_unknown_tenant_has_no_document(self, idp: StandIns) -> None:
        answer = requests.get(f"{idp.entra}/nowhere.example/v2.0/.well-known/openid-configuration", timeout=10)
        assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (
            400,
            "invalid_tenant",
            [90002],
        )

    @pytest.mark.parametrize(("login", "tenant"), [("tom", "cedar"), ("bob@birch.example", "birch")])
    def test_whoever_signs_in_gets_a_token_of_his_own_tenant(
        self, idp: StandIns, platform: Client, login: str, tenant: str
    ) -> None:
        claims = platform.claims(login)
        assert claims["tid"] == idp.tenants[tenant]
        assert claims["iss"] == f"{idp.entra}/{idp.tenants[tenant]}/v2.0"
        assert claims["ver"] == "2.0"
        assert {"oid", "sub", "name", "preferred_username", "nbf", "aio"} <= claims.keys()
        assert "at_hash" not in claims
        assert "email_verified" not in claims

    def test_each_application_knows_a_person_by_another_subject(self, platform: Client, cedar: Client) -> None:
        one, other = platform.claims("tom"), cedar.claims("tom")
        assert one["oid"] == other["oid"]
        assert one["sub"] != other["sub"]
        assert platform.claims("tom")["sub"] == one["sub"]

    def test_claims_follow_the_scopes(self, cedar: Client) -> None:
        claims = cedar.claims("tom", "openid")
        assert not {"oid", "name", "preferred_username", "email"} & claims.keys()

    def test_a_personal_account_enters_by_common_only(self, idp: StandIns, platform: Client) -> None:
        with pytest.raises(StoppedError, match="personal account"):
            platform.code("eve")
        claims = Client(idp, "platform", idp.authority("common")).claims("eve")
        assert claims["tid"] == "9188040d-6c67-4c5b-b112-36a304b66dad"

    def test_a_guest_is_at_home_elsewhere_and_a_guest_where_the_tenant_is_named(
        self, idp: StandIns, platform: Client, cedar: Client
    ) -> None:
        home, guest = platform.claims("gus@birch.example"), cedar.claims("gus@birch.example")
        assert home["tid"] == idp.tenants["birch"]
        assert "idp" not in home
        assert guest["tid"] == idp.tenants["cedar"]
        assert guest["idp"] == home["iss"]
        assert "#EXT#" in guest["preferred_username"]

    def test_an_address_is_only_what_a_tenant_says(self, platform: Client) -> None:
        mallory = platform.claims("mallory")
        assert mallory["email"] == "ada@cedar.example"
        assert "xms_edov" not in mallory
        assert platform.claims("vera")["xms_edov"] is True

    def test_roles_groups_and_directory_roles(self, platform: Client) -> None:
        tom = platform.claims("tom")
        assert tom["roles"] == ["Teacher"]
        assert len(tom["groups"]) == 2
        assert platform.claims("ada")["wids"] == [GLOBAL_ADMIN]

    def test_more_than_200_groups_are_told_by_where_to_ask(self, idp: StandIns, cedar: Client) -> None:
        claims = cedar.claims("nora")
        assert "groups" not in claims
        assert claims["_claim_names"] == {"groups": "src1"}
        endpoint = claims["_claim_sources"]["src1"]["endpoint"]
        assert endpoint == f"{idp.graph}/v1.0/users/{claims['oid']}/getMemberObjects"
        idp.control(people={"entra/nora": {"more_groups": 199}})
        assert len(cedar.claims("nora")["groups"]) == 200

    def test_keys_say_whose_they_are(self, platform: Client) -> None:
        for key in requests.get(platform.metadata()["jwks_uri"], timeout=10).json()["keys"]:
            assert key["issuer"].endswith("/{tenantid}/v2.0")
            assert "d" not in key
            assert "alg" not in key

    def test_somebody_of_another_tenant_is_a_stranger_here(self, cedar: Client) -> None:
        with pytest.raises(StoppedError, match="AADSTS50020"):
            cedar.code("bob")

    def test_an_error_has_microsofts_form(self, platform: Client) -> None:
        answer = platform.redeem(platform.code("tom"), client_secret="wrong")
        assert answer.status_code == 401
        error = answer.json()
        assert error["error"] == "invalid_client"
        assert error["error_codes"] == [7000215]
        assert error["error_description"].startswith("AADSTS7000215: ")
        assert {"timestamp", "trace_id", "correlation_id"} <= error.keys()

    def test_the_answer_does_not_name_its_issuer(self, platform: Client) -> None:
        assert told(platform.idp.walk(platform.address(), "tom")).keys() == {"code", "state", "session_state"}


class TestConsent:
    def ask(self, idp: StandIns, tenant: str, scope: str = "https://graph.microsoft.com/.default") -> str:
        asked = {"client_id": idp.apps["platform"].id, "redirect_uri": CALLBACK, "state": "s", "scope": scope}
        return f"{idp.authority(tenant)}/adminconsent?{urlencode(asked)}"

    def test_an_admin_says_yes_for_the_tenant(self, idp: StandIns, platform: Client) -> None:
        with pytest.raises(StoppedError, match="having trouble"):
            idp.walk(self.ask(idp, "organizations"), "gus")
        answer = told(idp.walk(self.ask(idp, "organizations"), "bob"))
        assert answer == {
            "admin_consent": "True",
            "tenant": idp.tenants["birch"],
            "scope": "https://graph.microsoft.com/.default",
            "state": "s",
        }
        assert "GroupMember.Read.All" in platform.tokens("gus", GRAPH)["scope"]

    def test_an_admin_says_no(self, idp: StandIns) -> None:
        answer = told(idp.walk(self.ask(idp, "birch"), "bob", press="Cancel"))
        assert answer["error"] == "access_denied"
        assert answer["state"] == "s"
        assert answer["error_description"].startswith("AADSTS65004")
        assert "tenant" not in answer

    def test_without_it_people_are_sent_away(self, idp: StandIns, platform: Client) -> None:
        answer = told(idp.walk(platform.address(GRAPH), "gus"))
        assert answer["error"] == "access_denied"
        assert answer["error_description"].startswith("AADSTS65004")

    def test_an_admin_may_consent_while_signing_in(self, idp: StandIns, platform: Client) -> None:
        assert "GroupMember.Read.All" in platform.tokens("bob", GRAPH)["scope"]
        assert "EduRoster.ReadBasic" in idp.control()["tenants"]["birch"]["consented"]

    @pytest.mark.parametrize(
        "changed", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}, {"scope": ""}]
    )
    def test_a_wrong_request_gets_a_page(self, idp: StandIns, changed: dict[str, str]) -> None:
        asked = {"client_id": idp.apps["platform"].id, "redirect_uri": CALLBACK, "scope": "User.Read", **changed}
        with pytest.raises(StoppedError, match="AADSTS"):
            idp.walk(f"{idp.authority('birch')}/adminconsent?{urlencode(asked)}", "bob")


class TestGraph:
    def test_me(self, idp: StandIns, platform: Client) -> None:
        me = platform.get(f"{idp.graph}/v1.0/me", "tom", GRAPH).json()
        assert me["id"] == platform.claims("tom")["oid"]
        assert (me["userPrincipalName"], me["mail"]) == ("tom@cedar.example", "tom@cedar.example")

    def test_groups_come_in_pages(self, idp: StandIns, cedar: Client) -> None:
        headers, found = bearer(cedar.tokens("nora", GRAPH)), []
        url = f"{idp.graph}/v1.0/me/transitiveMemberOf/microsoft.graph.group?$select=id"
        sizes = []
        while url:
            page = requests.get(url, headers=headers, timeout=10).json()
            found += [group["id"] for group in page["value"]]
            sizes.append(len(page["value"]))
            url = page.get("@odata.nextLink", "")
        assert sizes == [100, 100, 100]
        assert len(set(found)) == 300

    @pytest.mark.parametrize(("only", "count"), [(True, 1), (False, 2)])
    def test_member_objects(self, idp: StandIns, platform: Client, *, only: bool, count: int) -> None:
        headers = bearer(platform.tokens("tom", GRAPH))
        url = f"{idp.graph}/v1.0/me/getMemberObjects"
        answer = requests.post(url, json={"securityEnabledOnly": only}, headers=headers, timeout=10).json()
        assert answer["@odata.context"].endswith("#Collection(Edm.String)")
        assert len(answer["value"]) == count

    def test_the_address_of_the_overage_answers(self, idp: StandIns, cedar: Client) -> None:
        tokens = cedar.tokens("nora", GRAPH)
        endpoint = cedar.read(tokens["id_token"])["_claim_sources"]["src1"]["endpoint"]
        answer = requests.post(endpoint, json={"securityEnabledOnly": True}, headers=bearer(tokens), timeout=10)
        assert len(answer.json()["value"]) == 300

    @pytest.mark.parametrize(("login", "role"), [("tom", "teacher"), ("pia", "student"), ("ada", "none")])
    def test_the_role_in_education(self, idp: StandIns, platform: Client, login: str, role: str) -> None:
        answer = platform.get(f"{idp.graph}/v1.0/education/me", login, GRAPH)
        assert answer.json()["primaryRole"] == role

    def test_whoever_is_not_in_education_is_not_found(self, idp: StandIns, platform: Client) -> None:
        answer = platform.get(f"{idp.graph}/v1.0/education/me", "otto", GRAPH)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")

    @pytest.mark.parametrize(
        "path", ["education/me", "me/transitiveMemberOf/microsoft.graph.group", "me/transitiveMemberOf"]
    )
    def test_what_was_not_asked_for_is_refused(self, idp: StandIns, platform: Client, path: str) -> None:
        answer = platform.get(f"{idp.graph}/v1.0/{path}", "tom", f"{BASIC} User.Read")
        assert answer.status_code == (404 if path == "me/transitiveMemberOf" else 403)
        error = answer.json()["error"]
        assert {"code", "message", "innerError"} == error.keys()
        assert {"date", "request-id", "client-request-id"} == error["innerError"].keys()

    def test_a_directory_role_is_told_to_those_who_may_read_the_directory(
        self, idp: StandIns, platform: Client
    ) -> None:
        url = f"{idp.graph}/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole"
        (little,) = platform.get(url, "ada", GRAPH).json()["value"]
        assert little["roleTemplateId"] is None
        (all_of_it,) = platform.get(url, "ada", f"{GRAPH} RoleManagement.Read.Directory").json()["value"]
        assert all_of_it["roleTemplateId"] == GLOBAL_ADMIN
        assert all_of_it["id"] == little["id"] != GLOBAL_ADMIN

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
    def test_nobody_asks_without_a_token(self, idp: StandIns, headers: dict[str, str]) -> None:
        answer = requests.get(f"{idp.graph}/v1.0/me", headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
