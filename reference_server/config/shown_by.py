"""Which test shows the effect of each setting that has one; docs/configuration.md tells it, a test holds it to that.

By the name of the setting: its path in the file, else its option, else its variable. That a setting means the same in
every source is shown by tests/config.
"""

from __future__ import annotations

from reference_server.config.setting import Setting

_CLI = "tests/test_cli.py"
_SERVER = "tests/test_server.py"
_CONNECTION = "tests/admin/test_connection.py"
_CERTIFICATES = "tests/tls/test_certificates.py"
_NETWORK = "tests/net/test_network.py"
_LOG_FILE = "tests/observe/test_log_file.py"
_TIMES = "tests/core/test_configured_times.py"
_ADMISSION = "tests/core/test_admission.py"
_BLACKLIST = "tests/net/test_blacklist.py"
_OPERATION = "tests/operation/test_operation.py"
_READING = "tests/config/test_reading.py"
_NEXT_HOP = "tests/core/dialog/test_next_hop.py"
_RELAY = "tests/core/proxy/test_loose_routing.py"
_HANDLER = "tests/handlers/test_http_handler.py"
_SYSLOG = "tests/observe/test_syslog.py"
_OBSERVATION = "tests/test_observation.py"

SHOWN_BY: dict[str, str] = {
    "admin": f"{_CLI}::test_ipv6",
    "admin@port": "tests/admin/test_listener.py::test_an_ephemeral_port_is_told",
    "admin@secret": f"{_CONNECTION}::test_a_wrong_secret",
    "admin@tcp-keepalive": f"{_CONNECTION}::test_socket_options",
    "--hangup-on-app-loss": f"{_SERVER}::test_hanging_up_when_the_application_is_lost",
    "--frame-limit": f"{_CONNECTION}::test_the_configured_limits",
    "--frame-limit-before-authentication": f"{_CONNECTION}::test_the_limit_before_authentication",
    "--incomplete-frame-timeout": f"{_CONNECTION}::test_an_incomplete_frame_ends_the_connection",
    "--incomplete-frame-timeout-before-authentication": (
        f"{_CONNECTION}::test_an_incomplete_frame_ends_the_connection"
    ),
    "--authentication-delay": "tests/admin/test_failed_attempts.py::test_the_longest_delay",
    "--unread-timeout": f"{_CONNECTION}::test_an_application_that_does_not_read_gets_no_requests_and_is_closed_at_last",
    "admin@tls-port": f"{_CLI}::test_tls_on_both_doors_and_certificates_read_again",
    "sip/tls/key-file": f"{_CERTIFICATES}::test_a_key_of_another_certificate",
    "sip/tls/cert-file": f"{_CERTIFICATES}::test_a_certificate_and_a_chain_are_sent_together",
    "sip/tls/chain-file": f"{_CERTIFICATES}::test_a_chain_file_may_hold_the_certificate_itself",
    "sip/tls/dh-param": f"{_CERTIFICATES}::test_dh_parameters",
    "sip/tls/min-tls-version": f"{_CERTIFICATES}::test_the_lowest_version",
    "--tls-cipherlist": f"{_CERTIFICATES}::test_ciphers",
    "DRACHTIO_TLS_VERIFY_CLIENT_CERT": (
        "tests/tls/test_session.py::test_a_client_without_a_certificate_where_one_is_demanded"
    ),
    "DRACHTIO_SUPPORT_BEST_EFFORT_TLS": "tests/core/uas/test_respond.py::test_a_caller_over_tls_without_sips",
    "sip/contacts/contact": f"{_NETWORK}::test_all_addresses_of_the_machine",
    "sip/contact": f"{_READING}::test_the_old_single_contact_wins_over_contacts",
    "sip/contacts/contact@external-ip": f"{_NETWORK}::test_user_and_external_address",
    "sip/contacts/contact@local-net": "tests/net/locate/test_local_endpoint.py::test_preference",
    "sip/contacts/contact@dns-names": "tests/core/location/test_own_addresses.py::test_addresses",
    "sip/outbound-proxy": f"{_CLI}::test_hangup_changes_secret_log_level_and_outbound_proxy",
    "sip/aggressive-nat-detection": f"{_NEXT_HOP}::test_settings_of_nat_detection",
    "--disable-nat-detection": f"{_NEXT_HOP}::test_settings_of_nat_detection",
    "--nameserver": (
        "tests/net/test_names_end_to_end.py::test_a_call_to_a_domain_passes_a_dead_server_and_reaches_the_next"
    ),
    "sip/timers/t1": f"{_TIMES}::test_an_invite_of_an_application",
    "sip/timers/t2": f"{_TIMES}::test_another_request_of_an_application",
    "sip/timers/t4": f"{_TIMES}::test_a_client_keeps_its_transaction_for_t4",
    "sip/timers/t1x64": f"{_TIMES}::test_a_server_keeps_its_transaction_for_64_t1",
    "DRACHTIO_PRESERVE_HEADER_NAMES": (
        "tests/core/test_application_draft.py::test_names_that_are_kept_as_they_are_written"
    ),
    "cdrs": f"{_SERVER}::test_a_reload_with_a_call_up",
    "--cdrs": f"{_READING}::test_call_detail_records_and_names_of_a_file",
    "--file": f"{_CLI}::test_the_log_file_gets_everything_and_the_console_nothing",
    "--noconfig": f"{_READING}::test_noconfig_logs_to_the_console_only_but_keeps_the_level",
    "logging/loglevel": "tests/observe/test_log.py::test_a_level_lets_through_itself_and_the_quieter_ones",
    "logging/console": f"{_CLI}::test_the_log_file_gets_everything_and_the_console_nothing",
    "logging/file/name": f"{_LOG_FILE}::test_directories_are_created_at_any_depth",
    "logging/file/archive": f"{_LOG_FILE}::test_the_archive_may_be_the_directory_of_the_log",
    "logging/file/size": f"{_LOG_FILE}::test_a_full_file_is_archived_before_it_exceeds_its_size",
    "logging/file/maxSize": f"{_LOG_FILE}::test_the_archive_keeps_the_newest",
    "logging/file/minSize": f"{_LOG_FILE}::test_the_archive_leaves_space_on_its_disk",
    "logging/file/maxFiles": f"{_LOG_FILE}::test_the_archive_keeps_the_newest",
    "logging/file/auto-flush": f"{_LOG_FILE}::test_without_auto_flush_lines_wait_a_second_or_for_the_end",
    "--globally-readable-logs": f"{_LOG_FILE}::test_a_new_file_has_its_mode_whatever_the_umask",
    "--fault": "tests/faults/test_faults.py::test_the_option",
    "--lint": "tests/observe/test_lint.py::test_a_server_that_lints",
    "--strict": "tests/observe/test_lint.py::test_a_strict_server",
    "--emulate": f"{_SERVER}::test_the_0_8_dialect",
    "--trace": f"{_CLI}::test_the_trace_of_a_request_that_nobody_wants",
    "--show-frames": f"{_CLI}::test_the_trace_of_a_request_that_nobody_wants",
    "--hide-credentials": f"{_CLI}::test_no_log_holds_credentials_if_they_are_to_be_hidden",
    "--loop": f"{_CLI}::test_a_loop_that_is_not_installed",
    "--check": f"{_CLI}::test_check_of_a_good_configuration",
    "--version": f"{_CLI}::test_version",
    "--help": f"{_CLI}::test_help",
    "sip/spammers@action": f"{_ADMISSION}::test_udp_and_connections_have_their_own_action",
    "sip/spammers@tcp-action": f"{_ADMISSION}::test_udp_and_connections_have_their_own_action",
    "sip/spammers/header@name": "tests/core/test_screening.py::test_a_sign_of_spam",
    "sip/spammers/header/*": "tests/core/test_screening.py::test_a_sign_of_spam",
    "sip/reject-register-with-no-realm": f"{_ADMISSION}::test_a_registration_at_an_address_is_forbidden",
    "sip/user-agent-options-auto-respond": f"{_ADMISSION}::test_a_monitor_is_answered_without_an_application",
    "--always-send-180": f"{_ADMISSION}::test_a_caller_hears_it_ring_before_the_application_says_anything",
    "sip/blacklist/redis-address": f"{_BLACKLIST}::test_the_set_is_read_and_read_again",
    "sip/blacklist/redis-port": f"{_BLACKLIST}::test_the_set_is_read_and_read_again",
    "sip/blacklist/redis-key": f"{_BLACKLIST}::test_the_set_is_read_and_read_again",
    "sip/blacklist/redis-sentinels": f"{_BLACKLIST}::test_sentinels_name_the_replicas",
    "sip/blacklist/redis-master": f"{_BLACKLIST}::test_sentinels_name_the_replicas",
    "sip/blacklist/redis-password": f"{_BLACKLIST}::test_a_password",
    "sip/blacklist/refresh-secs": f"{_BLACKLIST}::test_the_set_is_read_and_read_again",
    "--daemon": f"{_OPERATION}::test_in_the_background_the_pid_is_told_when_it_is_ready",
    "--user": f"{_OPERATION}::test_the_server_becomes_the_user_with_its_groups_when_all_is_bound",
    "--pid-file": f"{_OPERATION}::test_ready_reloading_and_stopping_are_told",
    "--drain": f"{_OPERATION}::test_sigterm_frees_the_ports_of_connections_at_once_and_udp_when_the_call_is_over",
    "sip/udp-mtu": "tests/core/dialog/test_large_request.py::test_the_measure_is_the_request_as_it_goes_out",
    "sip/udp-buffer-size": "tests/net/sockets/test_listening.py::test_the_buffers_of_udp_are_as_configured",
    "DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS": (
        "tests/net/test_connections.py::test_so_many_requests_in_a_row_without_an_answer_close_a_connection"
    ),
    "DRACHTIO_LOCAL_DOMAIN": (
        "tests/core/uac/test_outside_dialog.py::test_what_goes_to_the_local_domain_would_come_back"
    ),
    "sip/session-timers@default-refresher": f"{_TIMES}::test_who_refreshes_where_the_caller_leaves_it_open",
    "--ringing-timeout": f"{_TIMES}::test_a_call_of_an_application_may_ring_so_long",
    "--timer-c": f"{_TIMES}::test_timer_c_of_a_proxied_call",
    "--open-relay": f"{_RELAY}::test_an_open_relay_is_one_only_if_asked_for",
    "--relay-key": f"{_RELAY}::test_servers_with_one_key_pass_on_each_others_calls",
    "request-handlers/request-handler": f"{_HANDLER}::test_the_question_by_get",
    "request-handlers/request-handler@http-method": f"{_HANDLER}::test_the_question_by_post",
    "request-handlers/request-handler@sip-method": (
        f"{_HANDLER}::test_a_handler_wins_over_applications_for_its_method_only"
    ),
    "request-handlers/request-handler@verify-peer": f"{_HANDLER}::test_https",
    "--log-format": "tests/observe/test_json_lines.py::test_a_line_is_an_object_whose_time_is_utc",
    "logging/sofia-loglevel": f"{_CLI}::test_hangup_changes_what_is_said_of_the_sip_stack",
    "logging/syslog/address": f"{_SYSLOG}::test_a_receiver_gets_them",
    "logging/syslog/port": f"{_SYSLOG}::test_a_receiver_gets_them",
    "logging/syslog/facility": f"{_SYSLOG}::test_priorities_are_the_genuine_servers",
    "sip/capture-server": f"{_OBSERVATION}::test_copies_of_what_came_over_a_connection",
    "sip/capture-server@port": f"{_OBSERVATION}::test_copies_of_what_came_over_a_connection",
    "sip/capture-server@id": "tests/observe/test_hep.py::test_the_octets_are_the_genuine_servers",
    "sip/capture-server@hep-version": "tests/observe/test_hep.py::test_the_octets_are_the_genuine_servers",
    "monitoring/prometheus": f"{_OBSERVATION}::test_the_page_of_a_running_server_has_each_of_its_tables",
    "monitoring/prometheus@port": f"{_OBSERVATION}::test_a_port_that_is_taken",
    "--prometheus-scrape-port": f"{_CLI}::test_figures_for_prometheus_need_a_library",
    "--failed-authentications": ("tests/admin/test_failed_attempts.py::test_how_many_may_fail_is_a_setting"),
    "--waiting-authentications": (
        "tests/admin/test_failed_attempts.py::test_one_more_than_may_wait_is_refused_unseen_and_others_are_not"
    ),
    "--unauthenticated-connections": (
        "tests/admin/test_connections.py::test_the_oldest_stranger_makes_room_and_no_application_does"
    ),
    "--unauthenticated-connections-per-address": (
        "tests/admin/test_connections.py::test_of_one_address_there_may_be_fewer_strangers"
    ),
    "--unread-limit": (
        "tests/admin/test_connection.py::test_an_application_for_which_too_much_waits_is_cut_off_at_once"
    ),
    "--routes-per-application": (
        "tests/admin/test_session.py::test_an_application_has_so_many_routes_and_no_more"
    ),
    "--tags-per-application": (
        "tests/admin/test_session.py::test_an_application_has_so_many_tags_and_no_more"
    ),
    "--requests-per-application": (
        "tests/core/test_saturation.py::test_who_owes_too_many_answers_is_passed_over_until_it_has_given_some"
    ),
    "--dialogs": (
        "tests/core/test_saturation.py::test_with_so_many_dialogs_what_would_begin_another_gets_503"
    ),
    "--kept-for-peers": ("tests/test_server.py::test_each_limit_may_change_while_the_server_runs"),
    "--sip-connections": (
        "tests/net/test_connections.py::test_one_connection_more_than_there_may_be_and_one_makes_room"
    ),
    "--sip-connections-per-address": (
        "tests/net/test_connections.py::test_one_connection_more_than_one_address_may_have"
    ),
    "--header-limit": (
        "tests/net/test_connections.py::test_a_message_that_is_larger_than_it_may_be_ends_its_connection"
    ),
    "--body-limit": (
        "tests/net/test_connections.py::test_a_message_that_is_larger_than_it_may_be_ends_its_connection"
    ),
    "--handshake-timeout": ("tests/net/test_secure_transports.py::test_half_a_handshake_is_not_waited_for"),
    "--incomplete-message-timeout": (
        "tests/attack/test_floods.py::test_an_unfinished_message_is_not_waited_for_without_end"
    ),
    "--sip-unread-timeout": (
        "tests/net/test_connection.py::test_a_peer_that_reads_nothing_is_closed_after_a_time"
    ),
    "--sip-unread-limit": (
        "tests/net/test_connection.py::test_a_peer_that_too_much_waits_for_is_closed_at_once"
    ),
    "--lookups": ("tests/net/locate/test_resolver.py::test_so_many_names_are_looked_up_at_a_time"),
    "--callback-questions": (
        "tests/handlers/test_http_handler.py::test_beyond_the_limit_of_open_questions_503_comes_at_once"
    ),
    "--callback-answer-limit": (
        "tests/handlers/test_http_handler.py::test_how_large_an_answer_may_be_is_a_setting"
    ),
    "--outbound-connections": (
        "tests/admin/test_outbound.py::test_the_oldest_that_nothing_goes_on_upon_make_room"
    ),
    "--outbound-attempts": ("tests/admin/test_outbound.py::test_so_many_are_sought_at_a_time"),
}


def name_of(setting: Setting[object]) -> str:
    """By which a setting stands in the table."""
    return setting.path or (f"--{setting.option}" if setting.option else f"DRACHTIO_{setting.variable}")


# Tested by tests/config/test_table.py.
