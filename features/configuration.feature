Feature: What an administrator sets
  The server is put in the place of another one, with the file, the environment and the command line that are there. It
  must come up and do the same, say what is wrong where something is, and take up what changes without losing a call.

  Scenario: The file of the server before
    Given the configuration file
      """
      <drachtio>
        <admin port="0" secret="cymru">127.0.0.1</admin>
        <sip>
          <contacts>
            <contact>sip:127.0.0.1:0;transport=udp</contact>
            <contact>sip:127.0.0.1:0;transport=tcp</contact>
          </contacts>
        </sip>
        <logging><loglevel>notice</loglevel></logging>
      </drachtio>
      """
    When the server starts
    Then an application that gives the secret "cymru" is let in
    And SIP is awaited by udp, tcp

  Scenario Outline: Who has the last word
    Given the configuration file
      """
      <drachtio><admin port="0" secret="of-the-file">127.0.0.1</admin></drachtio>
      """
    And the environment <environment>
    And the command line <options>
    When the server starts
    Then an application that gives the secret "<right>" is let in
    And an application that gives the secret "<wrong>" is refused

    Examples:
      | environment                        | options                       | right               | wrong              |
      | says nothing                       | says nothing                  | of-the-file         | admin              |
      | says DRACHTIO_SECRET=of-the-shell  | says nothing                  | of-the-shell        | of-the-file        |
      | says DRACHTIO_SECRET=of-the-shell  | says --secret=of-the-operator | of-the-operator     | of-the-shell       |

  Scenario Outline: What is wrong is named with its place
    Given a configuration file whose third line is <third>
    When the server starts
    Then it ends with status <status>, and the last line that it says has "<said>"

    Examples:
      | third                                              | status | said                                                           |
      | <timers><t1>fast</t1></timers>                     | 2      | drachtio.conf.xml:3: <t1>: expected milliseconds               |
      | <contact>sip:127.0.0.1:0;transport=sctp</contact>  | 2      | drachtio.conf.xml:3: <contact>: expected transports of udp,    |
      | <spammers action="reject" action="discard"/>       | 2      | write <spammers action="reject" tcp-action="discard">          |
      | <tls><key-file>/k</key-file><cert-file>/c</cert-file></tls> | 3 | tls key-file /k: No such file or directory                  |

  Scenario: A new secret, with an application connected
    Given the configuration file
      """
      <drachtio><admin port="0" secret="old">127.0.0.1</admin></drachtio>
      """
    When the server starts
    Then an application that gives the secret "old" is let in
    When the configuration file becomes
      """
      <drachtio><admin port="0" secret="new">127.0.0.1</admin></drachtio>
      """
    And the administrator sends SIGHUP
    Then the log says "the secret has changed; applications that are connected stay"
    And an application that gives the secret "new" is let in
    And an application that gives the secret "old" is refused
    And the application that was let in first is still there

  Scenario: A file that has become wrong changes nothing
    Given the configuration file
      """
      <drachtio><admin port="0" secret="old">127.0.0.1</admin></drachtio>
      """
    When the server starts
    And the configuration file becomes
      """
      <drachtio><admin port="0" secret="new">127.0.0.1</admin>
      """
    And the administrator sends SIGHUP
    Then the log says "drachtio.conf.xml"
    And an application that gives the secret "old" is let in

  Scenario: What is in effect, and where it comes from
    Given the configuration file
      """
      <drachtio><admin port="9099" secret="hidden">127.0.0.1</admin></drachtio>
      """
    And the environment says DRACHTIO_LOGLEVEL=debug
    And the command line says --check
    When the server starts
    Then it ends with status 0, and says "configuration ok"
    And it tells "admin@port: 9099", from <admin port>
    And it tells "logging/loglevel: debug", from DRACHTIO_LOGLEVEL
    And nothing of what it says has "hidden"
