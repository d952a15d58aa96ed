"""What msgtrace was asked to be, phrase by phrase, and what shows it; references are as in test_faults.py."""

from __future__ import annotations

import pytest

from tests.test_faults import is_there


def of(module: str, *names: str) -> tuple[str, ...]:
    """Tests of a module of this folder."""
    return tuple(f"tests/msgtrace/test_{module}.py::test_{name}" for name in names)


RIGHT_WORDS = {
    "a 503 that the server made is not by the other side": of(
        "explain", "what_could_not_be_sent_names_its_clause"
    )
    + of("one_command", "in_text"),
    "no arrow that never was on the wire": of("call_ladder", "what_never_was_on_a_wire_is_no_arrow"),
    "late and missing ACKs, a class of their own": of(
        "call_table", "a_late_ack_is_a_class_of_its_own", "an_ack_that_never_comes_is_told"
    ),
    "retransmissions are folded and counted": of("call_ladder", "what_is_sent_again_is_folded_and_counted"),
    "legs are joined, the cause is on both": of(
        "call_table", "the_legs_of_one_call_are_joined_and_the_cause_is_shown_on_both"
    ),
    "causes are counted before calls are listed": of(
        "call_table", "causes_stand_before_the_calls_the_most_frequent_first"
    )
    + of("one_command", "causes_are_counted_before_calls_are_listed")
    + of("html_page", "why_calls_failed_stands_before_them"),
    "every filter everywhere": of(
        "call_table", "every_filter_chooses_calls", "failed_takes_filters_too", "stats_take_filters_too"
    )
    + of("html_page", "filters_choose_the_calls_of_a_page"),
    "several --call": of("call_table", "several_calls_make_one_ladder"),
    "80 columns, and more where there is more": of(
        "call_table", "every_line_fits_a_terminal_and_no_word_is_cut"
    )
    + of("call_ladder", "every_line_fits_the_width", "wide_terminals_are_used"),
    "time since the message before": of("call_ladder", "times_and_the_time_since_the_row_before"),
    "--follow --calls": of("live_calls", "calls_are_listed_as_they_end"),
}
READERS = {
    "cut at both ends": of("bad_input", "cut_anywhere_it_is_told_and_nothing_breaks")
    + of("readers", "lines_that_stand_before_the_recording_are_other_lines"),
    "indented, quoted, HTML-escaped, prefixes": of("readers", "what_others_put_around_a_log_comes_off")
    + of("wrappings", "prefixes_come_off"),
    "wrapped at 80 columns": of("mending", "lines_of_a_terminal", "lines_of_a_mail"),
    "smart quotes": of("mending", "typographic_characters", "typographic_characters_that_were_sent_stay"),
    "only one direction": of("calls", "a_log_of_one_side_has_no_marks")
    + of("check_command", "what_one_side_alone_does_not_show_is_no_fault"),
    "several processes mixed": of(
        "wrappings", "services_that_both_have_records_are_each_read", "two_forms_in_one_file_are_each_read"
    )
    + of("borders", "another_form_behind_the_first_quarter_of_a_megabyte"),
    "rotated and compressed": of("source", "what_is_compressed_is_read")
    + of("live_calls", "a_file_that_is_rotated_goes_on"),
    "the journal's export, docker's and its like": of("wrappings", "an_export_of_the_journal")
    + of("json_beside", "a_logger_within_a_collector"),
    "pino with SIP in a field": of("json_beside", "both_are_read", "sip_beside_the_text_of_a_collector"),
    "tcpdump -A, sngrep's text": of("sip_text", "what_tools_print_is_read"),
    "tshark's text": of("hex_dump", "tshark", "tcpdump") + of("packet_tree", "messages"),
    "link types and fragments": of(
        "datagrams", "link_types_byte_orders_and_units_of_time", "fragments_are_put_together"
    ),
    "TCP with loss, reorder, overlap": of("segments", "a_lost_frame_is_told_and_all_behind_it_is_read")
    + of("capture", "segments_are_brought_into_order"),
    "SIP over UDP, TCP, WS": of("capture", "sip_over_tcp_is_taken_apart_by_its_length")
    + of("websocket_stream", "messages_of_both_sides"),
    "TLS with a key log": of(
        "decrypted",
        *("applications_and_telephones_by_tls", "secrets_that_the_file_holds", "tshark_is_absent"),
        "what_tshark_says_is_not_believed_blindly",
    ),
    "HEP 1 to 3": of("hep", "a_file_of_packets_is_read_and_damage_in_it_is_told")
    + of("hep_socket", "each_version_is_read_as_it_comes"),
    "our own JSON lines": of("recorder", "what_it_writes_is_what_decode_reads"),
    "nothing is dropped silently": of("decode_command", "stats_account_for_every_octet")
    + of("datagrams", "what_cannot_be_followed_is_counted_by_name")
    + of("decrypted", "without_keys_is_told_what_was_left_out"),
}
RECORDER = {
    "TLS": of("record_command", "tls_on_both_sides", "a_certificate_of_a_stranger"),
    "outbound": of("record_command", "outbound_the_server_connects_and_the_application_answers"),
    "--sip": of("record_command", "sip_is_recorded_beside"),
    "rotation": of("record_command", "a_full_file_is_followed_by_another_that_can_be_read_alone"),
    "bounded memory": of("recorder", "a_reader_that_is_slow_slows_the_writer_down_and_loses_nothing"),
}
UNDERSTANDING = {
    "B2BUA legs by what they have in common, or --join": of(
        "call_table", "a_call_id_in_any_header_joins", "calls_that_have_nothing_in_common_are_not_joined"
    ),
    "who hung up and why, what never got an answer": of("calls", "how_a_call_ended_and_why"),
    "round-trip times": of("stats", "codes_rates_and_times"),
    "explain": of(
        "explain",
        "a_good_call_is_told_in_its_order",
        "every_clause_that_is_named_is_one_of_the_specification",
    ),
    "check": of("check_command", "a_violation_is_told_with_its_clause_and_place", "every_form_is_judged"),
}
VIEWS = {
    "the page, clicked through": of(
        "html_page", "a_walk_through_the_page", "the_legs_of_one_call_are_one_ladder"
    ),
    "three sizes, light and dark, print": of(
        "html_page", "nothing_runs_out_of_the_window", "it_can_be_printed"
    ),
    "10,000 messages": of("html_page", "ten_thousand_messages_do_not_choke_it"),
    "SDP in a few words": of("html_page", "a_body_of_sdp_in_a_few_words"),
    "tui, live too": of("tui", "e_explains_the_call", "what_comes_while_one_looks_is_shown")
    + of("tui_command", "what_passes_an_interface_is_read_as_it_passes"),
    "Mermaid and SVG": of("drawings", "of_a_recording", "a_browser_shows_the_drawing"),
}
CONVERSIONS = {
    "to-scenario, for every trace": (
        "tests/replay/test_scenario.py::test_both_sides_are_played_again",
        "tests/replay/test_scenario.py::test_frames_alone_are_played_again",
    ),
    "to-sipp": of("sipp", "sipp_plays_both_ends"),
    "to-pcap": of("pcap_writer", "tshark_dissects_it_and_finds_no_fault"),
    "merge": of("merging", "the_servers_sip_and_the_applications_frames_are_one_recording"),
    "redact": of(
        "pseudonyms", "parties_hosts_addresses_and_secrets_go_and_lengths_stay", "verdicts_are_as_before"
    ),
    "diff": of("call_diff", "a_field_that_differs"),
    "stats": of("stats", "calls_as_time_goes_by", "the_drawing_has_a_column_for_what_failed"),
}
DISSECTOR = {
    "tokens by name": of("dissector", "every_frame_has_the_kind_and_the_tokens_that_msgtrace_finds"),
    "frames over segments": of("dissector", "frames_over_segments_are_put_together"),
    "violations": of("dissector", "violations_are_expert_infos"),
    "SIP": of("dissector", "sip_goes_to_its_own_dissector"),
}
BAD_INPUT = {
    "truncated": of("bad_input", "cut_anywhere_it_is_told_and_nothing_breaks"),
    "interleaved": of("readers", "interleaved_chunks_are_flagged_and_the_whole_frame_among_them_is_read"),
    "binary": of("bad_input", "octets_without_sense_are_refused_or_told"),
    "10 GB": of("bad_input", "memory_does_not_grow_with_the_file"),
    "terminal escapes": of("bad_input", "no_escape_reaches_the_terminal")
    + of("tui", "a_hostile_message_is_text"),
    "HTML in headers": of("html_page", "markup_of_a_peer_does_nothing"),
    "bombs": of("source", "a_bomb_takes_no_memory"),
    "place and exit code": of("msgtrace_cli", "a_truncated_recording_names_the_place_and_never_the_secret"),
}
DONE_WHEN = {
    "the evidence decodes, each frame accounted for": of("evidence", "what_a_file_announces_is_decoded"),
    "a stranger finds the reason with one command": of(
        "one_command", "in_text", "on_the_page", "in_the_terminal_interface"
    ),
}
ASKED = {
    f"{part}: {phrase}": shown
    for part, phrases in {
        "0": RIGHT_WORDS,
        "1": READERS,
        "2": RECORDER,
        "3": UNDERSTANDING,
        "4": VIEWS,
        "5": CONVERSIONS,
        "6": DISSECTOR,
        "bad input": BAD_INPUT,
        "done when": DONE_WHEN,
    }.items()
    for phrase, shown in phrases.items()
}


@pytest.mark.parametrize("phrase", ASKED)
def test_each_phrase_is_shown(phrase: str) -> None:
    assert [one for one in ASKED[phrase] if not is_there(one)] == []
    assert ASKED[phrase]
