Feature: Requests from the network
  A request that begins something new reaches one application, as Alice sent it.

  @SIP-3
  Scenario Outline: Every method that can begin something is delivered
    Given the application handles <method> requests
    When Alice sends a <method> request over <transport>
    Then the application receives the <method> request
    When the application answers "403 Forbidden"
    Then Alice receives "403 Forbidden"

    Examples:
      | method    | transport |
      | REGISTER  | UDP       |
      | MESSAGE   | UDP       |
      | OPTIONS   | UDP       |
      | INFO      | UDP       |
      | NOTIFY    | UDP       |
      | SUBSCRIBE | UDP       |
      | PUBLISH   | UDP       |
      | REGISTER  | TCP       |
      | MESSAGE   | TCP       |
      | OPTIONS   | TCP       |

  @SIP-11
  Scenario: A message in any script arrives as it was written
    Given the application handles MESSAGE requests
    When Alice sends the message "héllo ☎ 😀"
    Then the application reads the message "héllo ☎ 😀"

  @SIP-9
  Scenario: A request that is repeated on the way is delivered once
    Given the application handles OPTIONS requests
    When Alice sends an OPTIONS request
    Then the application receives the OPTIONS request
    When Alice's request is repeated by the network
    Then the application receives nothing

  @SIP-12
  Scenario: A request for a call that does not exist
    Given the application handles INVITE requests
    When Alice hangs up a call that never was
    Then Alice receives "481 Call/Transaction Does Not Exist"
    And the application receives nothing

  @SIP-15 @FRAME-20
  Scenario: Noise from the network harms nobody
    Given the application handles INVITE requests
    When Alice sends noise
    Then calls to the application succeed

  @CALL-10 @slow
  Scenario: An application that does not answer
    Given the application handles OPTIONS requests
    When Alice sends an OPTIONS request
    And 32 seconds pass
    Then Alice receives "504 Server Time-out"

  @CONN-3
  Scenario: An application that goes before it has answered
    Given the application handles OPTIONS requests
    When Alice sends an OPTIONS request
    Then the application receives the OPTIONS request
    When the application disconnects
    Then Alice receives "480 Temporarily Unavailable"
