Feature: Subscribing
  Who subscribes to an event is notified of it until the subscription ends.

  @SUB-1 @SUB-2
  Scenario: Alice subscribes to something of the application's
    Given the application handles SUBSCRIBE requests
    When Alice subscribes for 60 seconds
    And the application answers "202 Accepted"
    Then Alice receives "202 Accepted"
    When the application notifies that it is "active;expires=60"
    Then Alice receives a NOTIFY request that says "active;expires=60"
    When Alice subscribes for another 60 seconds
    And the application answers "200 OK"
    Then Alice receives "200 OK"
    When the application notifies that it is "terminated;reason=noresource"
    Then Alice receives a NOTIFY request that says "terminated;reason=noresource"
    And the application cannot notify any more

  @SUB-3 @slow
  Scenario: A subscription that nobody refreshes ends
    Given the application handles SUBSCRIBE requests
    When Alice subscribes for 60 seconds
    And the application answers "202 Accepted"
    Then Alice receives "202 Accepted"
    When 93 seconds pass
    Then the application cannot notify any more

  @OUT-19
  Scenario: The application subscribes to something of Carol's
    Given the application has authenticated
    And Carol has a SIP phone
    When the application subscribes for 60 seconds
    Then Carol receives a SUBSCRIBE request
    When Carol accepts the subscription
    Then the application receives her answer 202
    When Carol notifies that it is "active;expires=60"
    Then the application receives the NOTIFY request
    When the application answers "200 OK"
    Then Carol receives "200 OK"
    When the application ends its subscription
    Then Carol receives a SUBSCRIBE request
    When Carol answers "200 OK"
    Then the application receives her answer 200
    When Carol notifies that it is "terminated;reason=timeout"
    Then the application receives the NOTIFY request
    When the application answers "200 OK"
    Then Carol receives "200 OK"

  @SUB-4
  Scenario: Carol's notification is faster than her answer
    Given the application has authenticated
    And Carol has a SIP phone
    When the application subscribes for 60 seconds
    Then Carol receives a SUBSCRIBE request
    When Carol notifies that it is "active;expires=60"
    Then the application hears nothing of it
    When Carol accepts the subscription
    Then the application receives her answer 202
    And the application receives the NOTIFY request
    When the application answers "200 OK"
    Then Carol receives "200 OK"
    When Carol notifies that it is "terminated;reason=timeout"
    Then the application receives the NOTIFY request
    When the application answers "200 OK"
    Then Carol receives "200 OK"
