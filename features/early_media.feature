Feature: Something to hear before the answer
  A 183 with a session description lets the caller hear what the callee has to say before the call is answered.

  @RSP-8 @CALL-12
  Scenario: The application lets Alice hear something, and answers
    Given the application handles INVITE requests
    When Alice calls
    And the application lets Alice hear something
    Then Alice receives a "183 Session Progress" that lets her hear something
    When the application answers "200 OK"
    Then Alice receives "200 OK"
    When Alice acknowledges
    Then the application receives the ACK request
    And Alice can hang up

  @SIP-6
  Scenario: Alice has heard enough
    Given the application handles INVITE requests
    When Alice calls
    And the application lets Alice hear something
    Then Alice receives a "183 Session Progress" that lets her hear something
    When Alice cancels
    Then the application receives the CANCEL request
    And Alice receives "487 Request Terminated"
    And Alice acknowledges

  @OUT-5 @OUT-10
  Scenario: Carol lets the application hear something, and answers
    Given the application has authenticated
    And Carol has a SIP phone
    When the application calls Carol
    Then Carol receives an INVITE request
    When Carol lets the application hear something
    Then the application hears something
    When Carol answers "200 OK"
    Then the application receives her answer 200
    When the application acknowledges
    Then Carol receives an ACK request
    And the application can hang up
