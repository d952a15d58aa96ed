Feature: Asking for requests
  An application says which SIP methods it wants. Requests of these methods come to it, shared fairly
  with the others that want them.

  @ROUTE-1 @SIP-1
  Scenario: An application gets what it asked for
    Given the application handles OPTIONS requests
    When Alice sends an OPTIONS request
    Then the application receives the OPTIONS request

  @CALL-2
  Scenario: Nobody asked for it
    Given the application handles OPTIONS requests
    When Alice sends a MESSAGE request
    Then Alice receives "503 Service Unavailable"
    And the application receives nothing

  @ROUTE-5
  Scenario: Two applications share the work
    Given the application handles OPTIONS requests
    And a second application handles OPTIONS requests
    When Alice sends two OPTIONS requests
    Then the application receives one OPTIONS request
    And the second application receives one OPTIONS request

  @RROUTE-1
  Scenario: An application does not want a method any more, but keeps the others
    Given the application handles OPTIONS requests
    And the application handles MESSAGE requests
    When the application gives up MESSAGE requests
    And Alice sends a MESSAGE request
    Then Alice receives "503 Service Unavailable"
    When Alice sends an OPTIONS request
    Then the application receives the OPTIONS request

  @CONN-2
  Scenario: An application that has gone gets nothing
    Given the application handles OPTIONS requests
    And a second application handles OPTIONS requests
    When the application disconnects
    And Alice sends two OPTIONS requests
    Then the second application receives two OPTIONS requests
