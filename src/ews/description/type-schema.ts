/**
 * The schema of the SOAP headers and of everything inside messages, in the types
 * namespace: written for this gateway after [MS-OXWAVLS] and what is seen on wires (§1–§3, §6).
 *
 * What a MailboxData is called belongs to this namespace, the array around it to the other
 * one: that is how the protocol has it.
 */

import { oneOf } from "./enumeration.js";
import { zoneTypes } from "./zone-types.js";

export const TYPE_SCHEMA = `<?xml version="1.0" encoding="utf-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
    targetNamespace="http://schemas.microsoft.com/exchange/services/2006/types"
    xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
${headers()}${zoneTypes()}${questions()}${views()}${suggestions()}</xs:schema>
`;

function headers(): string {
  return `
  <xs:element name="RequestServerVersion">
    <xs:complexType>
      <xs:attribute name="Version" type="xs:string" use="required"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="ServerVersionInfo">
    <xs:complexType>
      <xs:attribute name="MajorVersion" type="xs:int"/>
      <xs:attribute name="MinorVersion" type="xs:int"/>
      <xs:attribute name="MajorBuildNumber" type="xs:int"/>
      <xs:attribute name="MinorBuildNumber" type="xs:int"/>
      <xs:attribute name="Version" type="xs:string"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="ExchangeImpersonation">
    <xs:annotation>
      <xs:documentation>On whose behalf it is asked. It can lower what is shown, never raise it.</xs:documentation>
    </xs:annotation>
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ConnectingSID">
          <xs:complexType>
            <xs:choice>
              <xs:element name="PrincipalName" type="xs:string"/>
              <xs:element name="SID" type="xs:string"/>
              <xs:element name="PrimarySmtpAddress" type="xs:string"/>
              <xs:element name="SmtpAddress" type="xs:string"/>
            </xs:choice>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="TimeZoneContext">
    <xs:annotation>
      <xs:documentation>The zone of all times in the question and in its answer, unless the question holds a TimeZone.</xs:documentation>
    </xs:annotation>
    <xs:complexType>
      <xs:sequence>
        <xs:element ref="t:TimeZoneDefinition"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
`;
}

function questions(): string {
  return `
  <xs:element name="MailboxData" type="t:AskedMailbox"/>
  <xs:complexType name="AskedMailbox">
    <xs:sequence>
      <xs:element name="Email">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Name" type="xs:string" minOccurs="0"/>
            <xs:element name="Address" type="xs:string"/>
            <xs:element name="RoutingType" type="xs:string" minOccurs="0"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="AttendeeType" type="t:AttendeeType"/>
      <xs:element name="ExcludeConflicts" type="xs:boolean" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
${oneOf("AttendeeType", ["Organizer", "Required", "Optional", "Room", "Resource"])}
  <xs:complexType name="TimeWindow">
    <xs:sequence>
      <xs:element name="StartTime" type="xs:dateTime"/>
      <xs:element name="EndTime" type="xs:dateTime"/>
    </xs:sequence>
  </xs:complexType>
  <xs:element name="FreeBusyViewOptions">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="TimeWindow" type="t:TimeWindow"/>
        <xs:element name="MergedFreeBusyIntervalInMinutes" type="xs:int" minOccurs="0"/>
        <xs:element name="RequestedView" type="t:ViewType" minOccurs="0"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="SuggestionsViewOptions">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="GoodThreshold" type="xs:int" minOccurs="0"/>
        <xs:element name="MaximumResultsByDay" type="xs:int" minOccurs="0"/>
        <xs:element name="MaximumNonWorkHourResultsByDay" type="xs:int" minOccurs="0"/>
        <xs:element name="MeetingDurationInMinutes" type="xs:int" minOccurs="0"/>
        <xs:element name="MinimumSuggestionQuality" type="t:Quality" minOccurs="0"/>
        <xs:element name="DetailedSuggestionsWindow" type="t:TimeWindow"/>
        <xs:element name="CurrentMeetingTime" type="xs:dateTime" minOccurs="0"/>
        <xs:element name="GlobalObjectId" type="xs:string" minOccurs="0"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
`;
}

function views(): string {
  return `
${oneOf("ViewType", ["None", "MergedOnly", "FreeBusy", "FreeBusyMerged", "Detailed", "DetailedMerged"])}${oneOf("BusyType", ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"])}
  <xs:complexType name="MailboxView">
    <xs:sequence>
      <xs:element name="FreeBusyViewType" type="t:ViewType"/>
      <xs:element name="MergedFreeBusy" minOccurs="0">
        <xs:annotation>
          <xs:documentation>A digit for each interval: 0 free, 1 tentative, 2 busy, 3 out of office, 4 no data.</xs:documentation>
        </xs:annotation>
        <xs:simpleType>
          <xs:restriction base="xs:string">
            <xs:pattern value="[0-4]*"/>
          </xs:restriction>
        </xs:simpleType>
      </xs:element>
      <xs:element name="CalendarEventArray" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="CalendarEvent" type="t:CalendarEvent" minOccurs="0" maxOccurs="unbounded"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="WorkingHours" type="t:WorkingHours" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="CalendarEvent">
    <xs:sequence>
      <xs:element name="StartTime" type="xs:dateTime"/>
      <xs:element name="EndTime" type="xs:dateTime"/>
      <xs:element name="BusyType" type="t:BusyType"/>
      <xs:element name="CalendarEventDetails" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="ID" type="xs:string" minOccurs="0"/>
            <xs:element name="Subject" type="xs:string" minOccurs="0"/>
            <xs:element name="Location" type="xs:string" minOccurs="0"/>
            <xs:element name="IsMeeting" type="xs:boolean"/>
            <xs:element name="IsRecurring" type="xs:boolean"/>
            <xs:element name="IsException" type="xs:boolean"/>
            <xs:element name="IsReminderSet" type="xs:boolean"/>
            <xs:element name="IsPrivate" type="xs:boolean"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="WorkingHours">
    <xs:annotation>
      <xs:documentation>In the zone of whose mailbox it is, whatever zone was asked in; minutes count from midnight there.</xs:documentation>
    </xs:annotation>
    <xs:sequence>
      <xs:element ref="t:TimeZone"/>
      <xs:element name="WorkingPeriodArray">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="WorkingPeriod" maxOccurs="unbounded">
              <xs:complexType>
                <xs:sequence>
                  <xs:element name="DayOfWeek">
                    <xs:simpleType>
                      <xs:list itemType="t:Weekday"/>
                    </xs:simpleType>
                  </xs:element>
                  <xs:element name="StartTimeInMinutes" type="xs:int"/>
                  <xs:element name="EndTimeInMinutes" type="xs:int"/>
                </xs:sequence>
              </xs:complexType>
            </xs:element>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
`;
}

function suggestions(): string {
  const counts = ["", "Available", "WithConflict", "WithNoData"].map(
    (which) => `            <xs:element name="NumberOfMembers${which}" type="xs:int"/>\n`,
  );
  return `
${oneOf("Quality", ["Excellent", "Good", "Fair", "Poor"])}
  <xs:complexType name="SuggestedDays">
    <xs:sequence>
      <xs:element name="SuggestionDayResult" minOccurs="0" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Date" type="xs:dateTime"/>
            <xs:element name="DayQuality" type="t:Quality"/>
            <xs:element name="SuggestionArray">
              <xs:complexType>
                <xs:sequence>
                  <xs:element name="Suggestion" type="t:Suggestion" minOccurs="0" maxOccurs="unbounded"/>
                </xs:sequence>
              </xs:complexType>
            </xs:element>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Suggestion">
    <xs:sequence>
      <xs:element name="MeetingTime" type="xs:dateTime"/>
      <xs:element name="IsWorkTime" type="xs:boolean"/>
      <xs:element name="SuggestionQuality" type="t:Quality"/>
      <xs:element name="AttendeeConflictDataArray" type="t:Conflicts" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Conflicts">
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="UnknownAttendeeConflictData" type="t:Nothing"/>
      <xs:element name="TooBigGroupAttendeeConflictData" type="t:Nothing"/>
      <xs:element name="IndividualAttendeeConflictData">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="BusyType" type="t:BusyType"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="GroupAttendeeConflictData">
        <xs:complexType>
          <xs:sequence>
${counts.join("")}          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:choice>
  </xs:complexType>
  <xs:complexType name="Nothing"/>
`;
}
