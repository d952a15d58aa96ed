Feature: Registering
  Phones tell a registrar where they are. The server is none: the application is.

  Background:
    Given the application handles REGISTER requests

  @REG-2
  Scenario: Alice registers with her password
    When Alice registers
    And the application answers "401 Unauthorized" with the header "WWW-Authenticate: Digest realm=r, nonce=n"
    Then Alice receives "401 Unauthorized" with the header "WWW-Authenticate: Digest realm=r, nonce=n"
    When Alice registers with her password
    Then the application receives the REGISTER request
    When the application answers "200 OK"
    Then Alice receives "200 OK"

  @REG-2
  Scenario: Alice goes
    When Alice removes all her registrations
    Then the application receives the REGISTER request
    When the application answers "200 OK"
    Then Alice receives "200 OK"

  @REG-1
  Scenario: Alice removes all her registrations for an hour
    When Alice registers "*" for 3600 seconds
    Then Alice receives "400 Bad Request"
    And the application receives nothing

  @REG-1
  Scenario: Nobody can read where Alice is
    When Alice registers "<<<" for 3600 seconds
    Then Alice receives "400 Bad Contact Header"
    And the application receives nothing

  @REG-1
  Scenario: Alice names no scheme, and the application may be content with that
    When Alice registers "alice@nowhere" for 3600 seconds
    Then the application receives the REGISTER request
    When the application answers "200 OK"
    Then Alice receives "200 OK"
