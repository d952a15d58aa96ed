"""What strangers and newcomers met, and the tests that keep it mended: each row names tests that there are.

``STRANGERS`` are the folders of faults beside the repository, a row for each kind; ``invented`` are inputs of that kind
that nobody has sent. ``NEWCOMER`` are the findings of people in their first hour, ``ATTACK`` those of somebody who
meant harm, each with its whole kind. A test is ``file::function``, a case
``case:FAMILY/FILE/ID``, and what a document must say ``FILE: WORDS``.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from msgspec import Struct

from drachtio_conformance.cases.loader import load
from tests.msgtrace.test_strangers import CALLS

ROOT = Path(__file__).parents[1]
STRANGERS_FOLDER = ROOT.parent / "shared" / "strangers"


class Kind(Struct, frozen=True):
    """One kind of fault."""

    seen: tuple[str, ...]
    """tests that feed what strangers sent, or the like"""
    invented: tuple[str, ...]


TRACE, CORE = "tests/msgtrace/test_", "tests/core/test_strangers"
STRANGERS = {
    "01": Kind(
        (
            f"{TRACE}verdict.py::test_all_forms_of_recording_give_the_same_verdicts",
            f"{TRACE}verdict.py::test_forks_are_judged_by_what_the_caller_got",
            f"{TRACE}verdict.py::test_call_ids_that_hold_several_requests",
        ),
        (f"{TRACE}inventions.py::test_01_verdicts_of_several_requests",),
    ),
    "02": Kind(
        (
            f"{TRACE}segments.py::test_a_lost_frame_is_told_and_all_behind_it_is_read",
            f"{TRACE}segments.py::test_a_call_whose_request_lacks_has_its_verdict_all_the_same",
            f"{TRACE}segments.py::test_sip_over_tcp_goes_on_behind_a_gap",
        ),
        (
            f"{TRACE}inventions.py::test_02_two_gaps_one_of_each_side",
            f"{TRACE}inventions.py::test_02_segments_that_hold_pieces_of_frames",
        ),
    ),
    "03": Kind(
        (
            f"{CORE}_addresses.py::test_from_and_to_are_passed_on_as_they_came",
            f"{CORE}_addresses.py::test_a_callers_contact_is_where_the_bye_goes",
            f"{CORE}_addresses.py::test_a_callees_contact_is_where_the_ack_goes",
            f"{CORE}_addresses.py::test_record_routes_are_followed_and_sent_as_they_were_written",
            f"{CORE}_addresses.py::test_what_nothing_can_be_made_of_is_refused_when_it_comes",
            f"{CORE}_addresses.py::test_tags_and_times_of_strangers",
            "case:robustness/slips/two-blanks-in-a-status-line",
            "case:response/headers/identities",
        ),
        (
            f"{CORE}_addresses.py::test_record_routes_of_an_answer_are_followed",
            "tests/sip/test_dialog.py::test_routes",
        ),
    ),
    "04": Kind(
        (
            f"{CORE}.py::test_what_was_refused_may_be_tried_again_with_a_new_branch",
            f"{CORE}.py::test_an_invite_may_come_again_when_its_call_is_over_but_not_while_it_is_up",
            "case:sip/strangers/tried-again",
        ),
        (
            f"{CORE}.py::test_what_an_application_refused_may_be_tried_again_at_another_address",
            f"{CORE}.py::test_what_was_cancelled_may_be_tried_again_but_not_while_it_rings",
        ),
    ),
    "05": Kind(
        (
            f"{TRACE}wrappings.py::test_json_lines_of_another_service_are_no_part_of_a_message",
            f"{TRACE}wrappings.py::test_services_that_both_have_records_are_each_read",
            f"{TRACE}wrappings.py::test_two_forms_in_one_file_are_each_read",
            f"{TRACE}wrappings.py::test_remarks_between_records_are_no_part_of_messages",
            f"{TRACE}wrappings.py::test_a_frame_that_is_shown_much_longer_than_it_says_is_damage",
        ),
        (
            f"{TRACE}inventions.py::test_05_what_others_write_between_records",
            f"{TRACE}inventions.py::test_05_two_servers_and_an_application_in_one_stream",
        ),
    ),
    "06": Kind(
        (
            f"{TRACE}wrappings.py::test_a_carriage_return_may_be_spelled_out",
            f"{TRACE}wrappings.py::test_a_log_at_info_with_spelled_out_line_ends",
        ),
        (f"{TRACE}inventions.py::test_06_other_spellings_of_a_carriage_return",),
    ),
    "07": Kind(
        (
            f"{TRACE}wrappings.py::test_frames_in_a_servers_log_are_whole_whatever_wrote_it",
            f"{TRACE}wrappings.py::test_what_the_genuine_server_shows_in_place_of_other_octets_is_said",
        ),
        (f"{TRACE}inventions.py::test_07_frames_of_a_servers_log_keep_their_last_octets",),
    ),
    "08": Kind(
        (f"{TRACE}verdict.py::test_who_made_a_response_is_told_as_far_as_the_form_shows_it",),
        (f"{TRACE}inventions.py::test_08_who_hung_up_without_a_server",),
    ),
    "09": Kind(
        (
            f"{TRACE}datagrams.py::test_fragments_are_put_together",
            f"{TRACE}datagrams.py::test_a_fragment_that_lacks_is_damage",
            f"{TRACE}datagrams.py::test_a_snap_length_is_told",
        ),
        (
            f"{TRACE}inventions.py::test_09_fragments_of_two_datagrams_with_one_number",
            f"{TRACE}inventions.py::test_09_a_message_over_tcp_whose_end_the_capture_lacks",
        ),
    ),
    "10": Kind(
        (f"{TRACE}datagrams.py::test_tunnels_are_looked_through",),
        (f"{TRACE}datagrams.py::test_what_cannot_be_followed_is_counted_by_name",),
    ),
    "11": Kind(
        (
            f"{TRACE}wrappings.py::test_prefixes_come_off",
            f"{TRACE}wrappings.py::test_other_stamps_of_a_servers_log",
        ),
        (
            f"{TRACE}inventions.py::test_11_a_service_restarted_in_the_middle_of_its_log",
            f"{TRACE}wrappings.py::test_a_line_that_is_no_object_stays_one_among_dockers_pieces",
        ),
    ),
    "12": Kind(
        ("tests/sip/messages/test_draft.py::test_each_compact_name_is_the_field_that_it_stands_for",),
        (
            f"{CORE}.py::test_compact_names_of_an_application_are_in_its_requests_what_they_stand_for",
            f"{CORE}.py::test_compact_names_inside_a_dialog_do_not_give_a_second_identity",
        ),
    ),
    "13": Kind(
        (
            f"{CORE}.py::test_a_reliable_180_without_a_contact_can_be_acknowledged",  # A
            f"{CORE}.py::test_a_refer_goes_where_the_application_said",  # B
            f"{CORE}.py::test_a_server_with_tcp_alone_proxies_to_an_address_without_a_transport",  # C
            f"{CORE}.py::test_nobody_is_answered_from_memory_by_a_branch_alone",  # D
            "tests/sip/test_reliable.py::test_rack",  # E
            "docs/deviations.md: DEV-125",  # U1
            "tests/sip/messages/test_sanity.py::test_slips_that_are_nothing_to_us",  # U2
            "docs/deviations.md: DEV-126",  # U3
            "case:robustness/slips/from-and-to-of-any-form",  # U4
            "docs/deviations.md: DEV-161",  # U5
            "case:cdr/callee/cancelled-while-it-rings",  # U6
            f"{CORE}.py::test_a_copy_that_is_cancelled_before_anything_was_heard_is_not_repeated",  # U7
        ),
        (f"{CORE}.py::test_a_prack_with_more_behind_its_method_or_other_blanks_acknowledges",),
    ),
    "14": Kind(
        (
            f"{CORE}.py::test_a_strangers_invite_with_the_same_branch_is_a_call_of_its_own",  # F1
            f"{CORE}.py::test_a_request_without_a_to_tag_is_of_the_dialog_of_its_call_id_and_from_tag",  # F2
            f"{CORE}.py::test_an_invite_without_a_to_tag_in_a_call_that_is_up_gets_491",
            f"{CORE}.py::test_a_subscription_is_refreshed_without_a_to_tag",
            f"{CORE}.py::test_what_was_refused_may_be_tried_again_with_a_new_branch",  # F3
            "tests/config/test_reading.py::test_two_hyphens_in_a_comment_are_a_warning_with_their_line",  # F4
            "tests/operation/test_operation.py::"  # F5
            "test_sigterm_frees_the_ports_of_connections_at_once_and_udp_when_the_call_is_over",
            "tests/operation/test_operation.py::test_a_second_sigterm_ends_at_once",
            "tests/sip/messages/test_lenient.py::test_what_an_application_means",  # F6
            f"{CORE}.py::test_a_last_notify_that_is_challenged_does_not_end_the_subscription",  # F7
        ),
        (
            f"{CORE}.py::test_a_mere_word_for_an_address_is_told_and_the_request_stays_open",
            f"{CORE}.py::test_the_far_end_of_an_applications_call_may_leave_the_to_tag_out",
        ),
    ),
}
LOAD, REPORT = "tests/load/test_", "tests/conformance/report/test_"
NEWCOMER = {
    "1": (
        "tests/test_patterns_of_the_sources.py::test_no_pattern_repeats_a_group_possessively",
        "tests/test_supported_pythons.py::test_each_version_that_is_named_is_tried_and_the_other_way_round",
    ),
    "2": (
        "tests/observe/test_log_file.py::test_a_device_keeps_its_mode_and_its_place",
        "tests/test_conftest.py::test_what_a_failed_story_leaves_open_is_told_and_closed",
        "README.md: without a folder `shared` beside this one they are skipped",
    ),
    "8": (
        f"{LOAD}runs.py::test_ctrl_c_keeps_what_there_is",
        f"{LOAD}runs.py::test_a_second_ctrl_c_does_not_wait",
    ),
    "11": (
        "tests/config/test_reading.py::"
        "test_check_makes_warnings_errors_but_of_known_settings_without_effect_only_if_it_is_strict",
        "tests/test_cli.py::test_check_of_a_setting_without_effect",
    ),
    "12": (
        f"{REPORT}page_in_browser.py::test_on_a_telephone_and_on_a_desk",
        f"{LOAD}reports.py::test_the_page_fits_a_telephone_and_a_desk_light_and_dark",
    ),
    "13": (
        f"{REPORT}packing.py::test_messages_that_differ_in_ids_ports_and_times_are_kept_once",
        f"{REPORT}markdown.py::test_the_summary_of_a_job_on_github_is_appended_to",
        f"{REPORT}ci_log.py::test_an_annotation_stands_at_the_step_that_failed",
        f"{REPORT}ci_log.py::test_github_folds_what_needs_no_look",
        f"{REPORT}reports.py::test_json_report_has_the_steps_of_cases_that_passed_if_it_is_asked_to",
    ),
    "14": (f"{REPORT}markdown.py::test_a_failure_has_all_that_a_reviewer_needs",),
    "15": (
        "tests/test_cli.py::test_the_default_secret_is_told_at_the_start_and_once_more_to_whom_it_is_news",
        "tests/test_cli.py::test_the_help_tells_the_default_secret",
    ),
    "16": (
        "tests/test_wheel.py::test_the_features_run_from_the_wheel",
        "README.md: drachtio-conformance features",
    ),
    "17": ("tests/conformance/cli/test_main.py::test_the_example_of_a_baseline_names_a_case_that_there_is",),
    "18": (
        f"{LOAD}runs.py::test_nobody_listens",
        f"{LOAD}answers.py::test_without_counts_nothing_is_told",
    ),
    "19": (
        f"{LOAD}runs.py::test_it_says_its_version",
        f"{TRACE}call_table.py::test_the_version_is_told",
    ),
    "20": (f"{TRACE}decode_command.py::test_a_filter_that_nothing_passes_says_so",),
    "21": (
        "tests/config/test_options.py::test_a_word_that_resembles_no_option_brings_no_suggestion",
        "tests/test_cli.py::test_check_of_a_setting_without_effect",
    ),
    "22": ("docs/msgtrace.md: api logger",),
    "23": (
        "tests/conformance/cli/test_completion.py::test_the_line_goes_on",
        "tests/conformance/cli/test_shell.py::test_at_a_terminal_tab_completes_and_answers_are_coloured",
        f"{LOAD}reports.py::test_the_command_line_is_told_without_its_password",
        f"{LOAD}reports.py::test_the_answers_are_told_by_status",
        f"{LOAD}reports.py::test_a_server_on_this_machine_is_measured",
    ),
    "24": ("tests/peers/test_readme.py::test_if_there_is_no_server_it_says_why",),
    "typed": (
        "tests/test_wheel.py::test_it_is_typed",
        "tests/api_page/test_page.py::test_all_that_is_public_says_what_it_is",
    ),
}
NET, ADMIN, ATTACKS, OBSERVE = (
    "tests/net/test_",
    "tests/admin/test_",
    "tests/attack/test_",
    "tests/observe/test_",
)
TIMER, LOSS = "tests/core/dialog/test_session_timer.py", "tests/core/test_application_loss.py"
ATTACK = {
    "1 calls of others are diverted by a Contact": (
        "tests/core/location/test_registered_flows.py::test_what_a_connection_may_claim",
        "tests/core/location/test_registered_flows.py::test_what_may_be_anothers_it_may_not",
        "tests/core/location/test_registered_flows.py::test_a_phone_that_registered_by_datagrams_keeps_its_contact",
        "tests/core/location/test_registered_flows.py::test_a_subscriber_can_say_it_is_anybody_and_moves_nothing",
    ),
    "2 peers that do not read": (
        f"{NET}connection.py::test_a_peer_that_reads_nothing_is_closed_after_a_time",
        f"{NET}connection.py::test_a_peer_that_too_much_waits_for_is_closed_at_once",
        f"{NET}connection.py::test_what_all_have_not_read_has_a_limit_together",
        f"{ATTACKS}memory.py::test_a_flood_takes_a_bounded_amount_of_memory",
    ),
    "3 large requests": (
        "tests/core/test_saturation.py::test_with_so_many_dialogs_what_would_begin_another_gets_503",
        f"{ATTACKS}memory.py::test_a_flood_takes_a_bounded_amount_of_memory",
        "tests/core/test_stateless_refusal.py::test_without_room_a_request_is_refused_and_leaves_nothing",
        "tests/core/test_stateless_refusal.py::test_calls_go_on_and_known_callers_come_in",
        "tests/core/test_stateless_refusal.py::test_an_overlong_name_is_refused_and_leaves_nothing",
        "tests/core/test_stateless_refusal.py::test_what_is_long_is_remembered_by_a_digest",
    ),
    "4 time that grows faster than the text": (
        f"{ATTACKS}growth.py::test_time_grows_with_the_text_and_no_faster",
        f"{ATTACKS}growth.py::test_no_module_is_left_out",
        f"{ATTACKS}growth_of_core.py::test_time_grows_with_the_text_and_no_faster",
        f"{ATTACKS}growth_of_patterns.py::test_time_grows_with_the_text_and_no_faster",
        f"{ATTACKS}growth_of_patterns.py::test_all_patterns_of_the_sources_are_tried",
        f"{ATTACKS}growth_of_files.py::test_time_grows_with_the_size_and_no_faster",
    ),
    "5 a console that nobody reads": (
        "tests/test_cli.py::test_a_console_that_nobody_reads_stops_neither_calls_nor_the_end",
        f"{OBSERVE}background.py::test_a_pipe_that_nobody_reads_stops_nobody",
        f"{OBSERVE}background.py::test_what_does_not_fit_is_counted_and_said",
        f"{OBSERVE}jsonl.py::test_a_pipe_that_nobody_reads_loses_lines_and_says_how_many",
    ),
    "6 open relay": (
        "tests/core/proxy/test_loose_routing.py::test_who_has_no_route_of_our_making_is_not_served",
        "tests/core/proxy/test_loose_routing.py::test_his_ack_is_dropped_and_he_is_told_of_once_a_second",
        "tests/core/proxy/test_loose_routing.py::test_servers_with_one_key_pass_on_each_others_calls",
        "tests/core/proxy/test_loose_routing.py::test_an_open_relay_is_one_only_if_asked_for",
        "tests/sip/test_route_token.py::test_it_proves_what_it_was_made_for",
        "case:proxy/relay/forged-route",
        "case:proxy/relay/forged-ack",
        "case:proxy/relay/route-of-another-call",
    ),
    "7 silent connections lock others out": (
        f"{NET}connections.py::test_one_connection_more_than_one_address_may_have",
        f"{ATTACKS}floods.py::test_peers_that_spoke_once_lock_nobody_out",
        f"{ATTACKS}floods.py::test_connections_that_never_speak_make_room",
        "tests/test_crowd.py::test_where_all_have_been_heard_the_longest_silent_makes_room_for_the_newest",
        "tests/test_crowd.py::test_one_address_crowds_out_nobody_but_itself",
    ),
    "8 refused connections lock applications out": (
        f"{ATTACKS}floods.py::test_refused_ones_that_do_not_close_keep_no_application_out",
        f"{ADMIN}connections.py::test_refused_ones_count_as_strangers_until_they_have_closed",
    ),
    "9 an application that does not read": (
        "tests/core/test_saturation.py::test_who_owes_too_many_answers_is_passed_over_until_it_has_given_some",
        f"{ADMIN}connection.py::test_an_application_that_does_not_read_gets_no_requests_and_is_closed_at_last",
        f"{ADMIN}connection.py::test_if_nobody_reads_callers_are_told",
        "tests/core/test_stuck_application.py::test_another_gets_what_waits_and_the_first_is_refused_its_answer",
        "case:connection/unread/the-others-get-its-share",
        "case:connection/unread/what-waits-goes-to-another",
    ),
    "10 what stands twice, or in other spelling": (
        "tests/sip/test_forwarding.py::test_what_the_application_replaces_does_not_stay_in_a_second_line",
        "tests/sip/test_forwarding.py::test_a_second_max_forwards_stays_behind",
        "tests/sip/messages/test_sanity.py::test_faults",
        "tests/sip/messages/test_draft.py::test_spelling_and_repetition",
        "tests/sip/messages/test_draft.py::"
        "test_a_name_that_is_folded_before_its_colon_is_refused_and_makes_no_second_field",
        "tests/sip/messages/test_draft.py::test_any_text_gives_sound_lines",
        "tests/sip/messages/test_draft.py::test_each_compact_name_is_the_field_that_it_stands_for",
        "tests/core/proxy/test_loose_routing.py::test_a_faulty_ack_is_not_passed_on",
    ),
    "11 terminal escapes": (
        f"{OBSERVE}log.py::test_nothing_steers_a_terminal",
        f"{OBSERVE}octets.py::test_what_is_shown_disturbs_no_terminal",
        f"{TRACE}bad_input.py::test_no_escape_reaches_the_terminal",
        f"{ATTACKS}hostile_reports.py::test_the_suites_console",
        f"{ATTACKS}hostile_reports.py::test_a_terminal_is_told_colours_only",
        f"{ATTACKS}hostile_reports.py::test_what_drachtio_load_prints_and_writes",
        f"{ATTACKS}hostile_reports.py::test_a_callee_that_answers_with_them",
    ),
    "11 forged records": (
        f"{TRACE}server_log.py::test_a_body_forges_no_record",
        f"{OBSERVE}stack_log.py::test_one_line_whatever_a_peer_sends",
    ),
    "11 who may read a trace": (
        f"{OBSERVE}jsonl.py::test_the_file_is_for_its_owner_only",
        f"{OBSERVE}jsonl.py::test_what_is_masked_is_not_in_it",
        f"{OBSERVE}credentials.py::test_values_are_hidden_and_nothing_else",
    ),
    "11 the secret in mistyped frames": (
        f"{ADMIN}session.py::test_no_watcher_sees_the_secret_of_a_stranger",
        f"{ADMIN}session.py::test_a_frame_without_its_length_shows_nothing_of_the_secret",
        "tests/wire/test_redaction.py::test_a_secret_that_is_known_is_found_wherever_it_stands",
        f"{ATTACKS}secrets_in_dumps.py::test_a_mistake_of_ours_shows_none",
    ),
    "11 a disk that was full": (
        f"{OBSERVE}jsonl.py::test_when_there_is_room_again_it_goes_on_and_says_what_is_missing",
    ),
    "12 BYE before the ACK": (f"{LOSS}::test_hanging_up_waits_for_the_ack",),
    "12 half a datagram": (
        "tests/core/test_receive.py::test_a_datagram_with_half_a_body_is_no_response",
        "case:out/claimed/half-a-body",
    ),
    "12 an ACK that is no message": (
        "tests/core/proxy/test_loose_routing.py::test_a_faulty_ack_is_not_passed_on",
    ),
    "12 422 without end": (
        f"{TIMER}::test_a_second_422_in_a_row_ends_the_call",
        f"{TIMER}::test_two_422s_with_a_refresh_between_end_nothing",
        f"{TIMER}::test_491_again_and_again_ends_with_the_session",
    ),
    "12 ids of another application": (
        "tests/core/uac/test_outside_dialog.py::test_the_dialog_id_of_another_application_is_its_own",
        f"{ATTACKS}collisions.py::test_an_application_with_the_ids_of_another_sends_nothing",
        "case:out/claimed/dialog-of-another",
    ),
    "12 a BYE that waits for who has gone": (f"{LOSS}::test_the_bye_that_it_had_not_answered_gets_200",),
    "12 further addresses of a proxied target": (
        "tests/core/proxy/test_branch.py::test_the_next_address_of_a_targets_name_is_tried",
        "tests/core/proxy/test_branch.py::test_what_is_silent_is_left_for_the_next_address",
    ),
    "13 few descriptors": (
        f"{ATTACKS}floods.py::test_strangers_leave_what_the_server_itself_needs",
        f"{ATTACKS}floods.py::test_a_lack_of_descriptors_is_survived",
    ),
    "13 a short backlog": (
        "tests/test_accepting.py::test_a_crowd_is_let_in_by_and_by",
        "tests/test_accepting.py::test_more_may_wait_than_are_taken_at_a_time",
    ),
    "13 files that grow": ("tests/conformance/cases/test_loader.py::test_a_small_file_cannot_grow",),
    "13 many answers at once": (
        f"{LOSS}::test_what_many_waited_for_is_answered_by_portions",
        f"{NET}udp.py::test_of_many_that_cannot_be_sent_one_line_tells_and_each_comes_back",
    ),
}


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def case_names() -> frozenset[str]:
    return frozenset(case.name for case in load(sorted((ROOT / "scenarios").rglob("*.yaml"))))


def is_there(reference: str) -> bool:
    if reference.startswith("case:"):
        return reference.removeprefix("case:") in case_names()
    file, colons, name = reference.partition("::")
    if colons:
        return name in functions_of(file)
    document, _, words = reference.partition(": ")
    return words in (ROOT / document).read_text("utf-8")


@pytest.mark.parametrize("folder", STRANGERS)
def test_each_kind_of_fault_has_its_tests(folder: str) -> None:
    kind = STRANGERS[folder]
    assert [one for one in (*kind.seen, *kind.invented) if not is_there(one)] == []
    assert kind.seen
    assert kind.invented


@pytest.mark.parametrize("finding", NEWCOMER)
def test_each_finding_has_its_test(finding: str) -> None:
    assert [one for one in NEWCOMER[finding] if not is_there(one)] == []


@pytest.mark.parametrize("fault", ATTACK)
def test_each_fault_of_the_attack_has_its_tests(fault: str) -> None:
    assert [one for one in ATTACK[fault] if not is_there(one)] == []


def test_no_fault_of_the_attack_is_left_out() -> None:
    assert {int(fault.split()[0]) for fault in ATTACK} == set(range(1, 14))
    assert all(ATTACK.values())


def test_what_is_not_there_is_noticed() -> None:
    assert not is_there("tests/test_faults.py::test_of_nothing")
    assert not is_there("case:no/such/case")
    assert not is_there("README.md: words that nobody wrote there")


@pytest.mark.skipif(not STRANGERS_FOLDER.is_dir(), reason="the inputs are not part of the repository")
def test_each_input_of_strangers_is_fed() -> None:
    found = {path.relative_to(STRANGERS_FOLDER) for path in STRANGERS_FOLDER.glob("*/*")}
    assert {path.parts[0][:2] for path in found} == set(STRANGERS)
    recordings = {str(path) for path in found if path.suffix in (".log", ".pcap", ".jsonl")}
    assert recordings == {*CALLS, "07-debug-log-of-the-genuine-server/genuine-console.log"}
