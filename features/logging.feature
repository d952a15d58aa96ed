Feature: What the server says
  Its log tells what the server does: on the console, in files, to a syslog server; and none of them, slow or dead,
  may cost a call.

  Scenario Outline: Records reach a syslog server
    Given a syslog server
    And a server that logs to it with the facility <facility>
    When Alice asks for options
    Then the syslog server gets "<start>" with the priority <notice>
    And it gets Alice's request with the priority <info>

    Examples:
      | facility | notice | info | start                               |
      | local6   | 181    | 182  | Starting drachtio-reference-server  |
      | local0   | 133    | 134  | Starting drachtio-reference-server  |

  Scenario: A syslog server that is not there
    Given a server that logs to a syslog server that is not there
    When Alice asks for options 30 times
    Then each time she is answered "503 Service Unavailable"
    When the server ends
    Then standard error tells how many records are missing

  Scenario: A log for programs
    Given a server that logs as JSON
    When Alice asks for options
    Then each line of its log is a JSON object with time, level and message
    And one of them has Alice's request

  Scenario Outline: As much of the SIP stack as is wanted
    Given a server whose sofia-loglevel is <level>
    When Alice asks for options twice with the same message
    Then its log <began> that her transaction began
    And its log <absorbed> that her message came again

    Examples:
      | level | began         | absorbed      |
      | 3     | does not tell | does not tell |
      | 5     | tells         | does not tell |
      | 9     | tells         | tells         |
