Feature: Copies for a capture server
  Who looks for the fault in a call of last Tuesday needs the messages of last Tuesday. So the server can send a copy
  of each SIP message to a capture server such as Homer, by HEP over UDP.

  Scenario Outline: A request and its answer are copied
    Given a capture server that awaits HEP <version>
    And a server that copies to it as agent 101
    When Alice asks for options
    Then the capture server gets her request, from her to the server
    And it gets the answer "503 Service Unavailable", from the server to her
    And both are of agent <agent>

    Examples:
      | version | agent |
      | 1       | none  |
      | 2       | 101   |
      | 3       | 101   |

  Scenario: An address of IPv6 is what it is
    Given a capture server that awaits HEP 3
    And a server on IPv6 that copies to it as agent 7
    When Alice asks for options
    Then the capture server gets her request, from her to the server
    And it gets the answer "503 Service Unavailable", from the server to her

  Scenario: Nobody captures
    Given a server whose capture server is not there
    When Alice asks for options 30 times
    Then each time she is answered "503 Service Unavailable"
    When the server ends
    Then its log tells how many messages the capture server has not got

  Scenario: Credentials stay at home
    Given a capture server that awaits HEP 3
    And a server that copies to it as agent 101 and hides credentials
    When Alice asks for options with the credentials "response=0123456789abcdef"
    Then the capture server gets her request, from her to the server
    And nothing that it gets has "0123456789abcdef"
