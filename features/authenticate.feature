Feature: Authenticating
  Whoever reaches the admin port could take every call. So the server listens to nobody who has not
  proved to know its secret.

  @AUTH-1 @AUTH-2
  Scenario: An application that knows the secret is let in
    When the application connects and gives the right secret
    Then it learns where the server takes SIP, and the server's version

  @AUTH-3 @CONN-1
  Scenario: A wrong secret is refused
    When the application connects and gives a wrong secret
    Then it is refused because of "incorrect secret"
    And its connection is closed

  @AUTH-6
  Scenario Outline: Nothing works without the secret
    Given the application is connected, but has not authenticated
    When it sends <request>
    Then it is refused because of "authentication required"
    And its connection is closed

    Examples:
      | request                  |
      | a ping                   |
      | a route for INVITE       |
      | an answer to no request  |

  @AUTH-6 @CALL-2
  Scenario: A stranger gets no calls
    Given the application is connected, but has not authenticated
    When it sends a route for INVITE
    And Alice calls
    Then Alice receives "503 Service Unavailable"

  @AUTH-7
  Scenario: An application adds tags later
    Given the application has authenticated
    When it authenticates again with the tags "green,red"
    Then it learns where the server takes SIP, and the server's version
    And the application's ping is answered
