@asking
Feature: Asking a web callback what to do
  The operator has a web server that knows what to do with each new request. The server asks it before any application
  hears of the request, and does what it says: reject, redirect, pass on, or give it to an application.

  Background:
    Given a callback that the server asks

  @HTTP-1 @HTTP-2 @HTTP-5
  Scenario: The callback rejects a call
    Given the application handles INVITE requests
    When Alice calls
    Then the callback is asked about an INVITE request of "alice" to "bob"
    When the callback answers that it rejects it with "486 Way Too Busy"
    Then Alice receives "486 Way Too Busy"
    And the application receives nothing

  @HTTP-6
  Scenario: The callback sends the caller elsewhere
    When Alice calls
    And the callback answers that it redirects it to "sip:bob@elsewhere.example"
    Then Alice receives "302 Moved" with the header "Contact: <sip:bob@elsewhere.example>"

  @HTTP-7
  Scenario: The callback has the server pass a call on
    Given Bob has a desk phone and a mobile phone
    When Alice calls
    And the callback answers that it goes on to Bob's desk phone
    Then Bob's desk phone rings
    When Bob's desk phone answers "603 Decline"
    Then Alice receives "603 Decline"

  @HTTP-9
  Scenario: The callback names the kind of application that gets the call
    Given the application handles INVITE requests
    And a second application with the tag "conferences" handles INVITE requests
    When Alice calls
    And the callback answers that an application with the tag "conferences" gets it
    Then the second application receives the INVITE request
    And the application receives nothing
    When the second application answers "480 Not Now"
    Then Alice receives "480 Not Now"

  @HTTP-9
  Scenario: No application of that kind is there
    Given the application handles INVITE requests
    When Alice calls
    And the callback answers that an application with the tag "conferences" gets it
    Then Alice receives "480 Temporarily Unavailable"
    And the application receives nothing

  @HTTP-10
  Scenario: The callback says nothing that can be understood
    When Alice calls
    And the callback answers "have a nice day"
    Then Alice receives "500 Server Internal Error"

  @HTTP-10 @slow
  Scenario: The callback hangs, and the caller is not kept waiting
    When Alice calls
    Then the callback is asked about an INVITE request of "alice" to "bob"
    When 3 seconds pass
    Then Alice receives "500 Server Internal Error"

  @HTTP-11
  Scenario: The caller gives up while the callback thinks
    When Alice calls
    Then the callback is asked about an INVITE request of "alice" to "bob"
    When Alice cancels
    Then Alice receives "487 Request Terminated"
