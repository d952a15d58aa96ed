Feature: Ringing more than one phone
  Alice calls Bob, and all his phones ring at once, or one leads to the next.

  Background:
    Given the application handles INVITE requests
    And Bob has a desk phone and a mobile phone

  @PROXY-4 @PROXY-13
  Scenario: Bob picks up the nearer one
    When Alice calls
    And the application proxies the call to both phones of Bob at once
    Then Bob's desk phone rings
    And Bob's mobile phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Bob's mobile phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges
    And Bob's desk phone stops ringing because of "Call completed elsewhere"

  @PROXY-13
  Scenario: Both are picked up in the same moment
    When Alice calls
    And the application proxies the call to both phones of Bob at once
    Then Bob's desk phone rings
    And Bob's mobile phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "200 OK"
    And Bob's mobile phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice receives "200 OK"

  @PROXY-14
  Scenario: Bob declines on one phone, and somebody else picks up the other
    When Alice calls
    And the application proxies the call to both phones of Bob at once
    Then Bob's desk phone rings
    And Bob's mobile phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Bob's mobile phone answers "603 Decline"
    Then Bob's mobile phone receives an ACK request
    When Bob's desk phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges

  @PROXY-16
  Scenario: Bob has left for the day, and his desk phone knows where to
    When Alice calls
    And the application proxies the call to Bob's desk phone, following redirections
    Then Bob's desk phone rings
    And the application is told that the call is under way
    When Bob's desk phone says that he is at his mobile phone
    Then Bob's desk phone receives an ACK request
    And Bob's mobile phone rings
    When Bob's mobile phone answers "200 OK"
    Then Alice receives "200 OK"
    And Alice acknowledges

  @PROXY-15
  Scenario: Alice gives up, and all phones fall silent
    When Alice calls
    And the application proxies the call to both phones of Bob at once
    Then Bob's desk phone rings
    And Bob's mobile phone rings
    And the application is told that the call is under way
    When Bob's desk phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Bob's mobile phone answers "180 Ringing"
    Then Alice receives "180 Ringing"
    When Alice cancels
    Then Bob's desk phone stops ringing
    And Bob's mobile phone stops ringing
    And Alice receives "487 Request Terminated"
    And Alice acknowledges
