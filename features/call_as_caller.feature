Feature: Placing a call
  The application calls Carol, who has a SIP phone.

  Background:
    Given the application has authenticated
    And Carol has a SIP phone

  @OUT-1 @OUT-2 @OUT-5 @OUT-10
  Scenario: Carol answers
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "180 Ringing"
    Then the application receives her answer 180
    When Carol answers "200 OK"
    Then the application receives her answer 200
    When the application acknowledges
    Then Carol receives an ACK request
    When the application hangs up
    Then Carol receives a BYE request
    When Carol answers "200 OK"
    Then the application receives her answer 200

  @OUT-10 @SIP-4
  Scenario: Carol hangs up
    Given a call from the application to Carol
    When Carol hangs up
    And the application answers "200 OK"
    Then Carol receives "200 OK"

  @OUT-10
  Scenario: Carol did not hear the acknowledgement
    Given a call from the application to Carol
    When Carol repeats her answer
    Then Carol receives the ACK request again
    And the application hears nothing of it
    When the application hangs up
    Then Carol receives a BYE request
    When Carol answers "200 OK"
    Then the application receives her answer 200

  @OUT-17
  Scenario: Carol is busy
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol answers "486 Busy Here"
    Then Carol receives an ACK request
    And the application receives her answer 486

  @OUT-10
  Scenario: Two phones of Carol's answer
    Given a call from the application to Carol
    When another phone of Carol's answers too
    Then that phone receives an ACK request
    And that phone receives a BYE request because of "Call completed elsewhere"
    And the application hears nothing of it
    When the application hangs up
    Then Carol receives a BYE request
    When Carol answers "200 OK"
    Then the application receives her answer 200

  @OUT-20
  Scenario: Carol's server wants a password
    When the application registers with Carol
    Then Carol receives a REGISTER request
    When Carol answers "401 Unauthorized"
    Then the application receives her answer 401
    When the application registers again, with a password
    Then Carol receives a REGISTER request with the next number and the password
    When Carol answers "200 OK"
    Then the application receives her answer 200

  @OUT-6
  Scenario: Nobody knows where Carol is
    When the application calls "sip:carol@nosuch.invalid"
    Then nothing has been sent, and the server itself answers "503 DNS Error"

  @OUT-7
  Scenario: The application calls the server
    When the application calls "sip:bob@${sip.udp}"
    Then the application is told "can not send request to myself"

  @OUT-13 @slow
  Scenario: Carol's phone is dead
    When the application calls Carol
    And 33 seconds pass
    Then the server itself answers "408 Request Timeout"
