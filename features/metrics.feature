Feature: Figures for Prometheus
  Who runs many servers looks at none of them, but at graphs. The figures have the genuine server's names, so that
  graphs that exist go on.

  Background:
    Given a server that Prometheus may scrape

  Scenario: Requests and responses are counted
    When Alice asks for options
    And Prometheus scrapes
    Then "drachtio_sip_requests_in_total" of method OPTIONS is 1
    And "drachtio_sip_responses_out_total" of method OPTIONS and code 503 is 1

  Scenario: What comes twice counts once
    When Alice asks for options twice with the same message
    And Prometheus scrapes
    Then "drachtio_sip_requests_in_total" of method OPTIONS is 1
    And "drachtio_sofia_msgs_recv" is 2

  Scenario: Applications are counted
    When an application authenticates
    And Prometheus scrapes
    Then "drachtio_app_connections" is 1

  Scenario: The delays of a call, and of the application that takes it
    When an application authenticates
    And it asks for calls
    And Alice calls, and the application answers "180 Ringing" and "200 OK"
    And Prometheus scrapes
    Then "drachtio_call_pdd_seconds_in_count" is 1
    And "drachtio_call_answer_seconds_in_count" is 1
    And "drachtio_admin_round_trip_seconds_count" is 1
    And "drachtio_stable_dialogs" of type inbound is 1
    And "drachtio_table_entries" of table routes is 1

  Scenario: A method that nobody knows makes no figure of its own
    When Alice sends 20 requests, each of a method of its own
    And Prometheus scrapes
    Then "drachtio_sip_requests_in_total" of method other is 20

  Scenario: Is it alive, is it ready
    Then "/healthz" is answered 200
    And "/readyz" is answered 200
    And "/elsewhere" is answered 404
