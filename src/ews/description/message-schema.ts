/**
 * The schema of what is asked and answered here, in the messages namespace: written for
 * this gateway after [MS-OXWAVLS] and what is seen on wires (§2, §3). It describes what the
 * gateway sends exactly, and what it reads as a sender should write it; the reader forgives more.
 */

export const MESSAGE_SCHEMA = `<?xml version="1.0" encoding="utf-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
    targetNamespace="http://schemas.microsoft.com/exchange/services/2006/messages"
    xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
    xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
  <xs:import namespace="http://schemas.microsoft.com/exchange/services/2006/types" schemaLocation="types.xsd"/>

  <xs:element name="GetUserAvailabilityRequest" type="m:AvailabilityQuestion"/>
  <xs:complexType name="AvailabilityQuestion">
    <xs:sequence>
      <xs:element ref="t:TimeZone" minOccurs="0"/>
      <xs:element name="MailboxDataArray" type="m:AskedMailboxes"/>
      <xs:element ref="t:FreeBusyViewOptions" minOccurs="0"/>
      <xs:element ref="t:SuggestionsViewOptions" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="AskedMailboxes">
    <xs:sequence>
      <xs:element ref="t:MailboxData" maxOccurs="100"/>
    </xs:sequence>
  </xs:complexType>

  <xs:element name="GetUserAvailabilityResponse" type="m:AvailabilityAnswer"/>
  <xs:complexType name="AvailabilityAnswer">
    <xs:sequence>
      <xs:element name="FreeBusyResponseArray" type="m:MailboxAnswers" minOccurs="0"/>
      <xs:element name="SuggestionsResponse" type="m:SuggestionsAnswer" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="MailboxAnswers">
    <xs:annotation>
      <xs:documentation>One for each mailbox asked about, in the order asked; nothing else says whose it is.</xs:documentation>
    </xs:annotation>
    <xs:sequence>
      <xs:element name="FreeBusyResponse" type="m:MailboxAnswer" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="MailboxAnswer">
    <xs:sequence>
      <xs:element name="ResponseMessage" type="m:Outcome"/>
      <xs:element name="FreeBusyView" type="t:MailboxView"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="SuggestionsAnswer">
    <xs:sequence>
      <xs:element name="ResponseMessage" type="m:Outcome" minOccurs="0"/>
      <xs:element name="SuggestionDayResultArray" type="t:SuggestedDays" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>

  <xs:complexType name="Outcome">
    <xs:sequence>
      <xs:element name="MessageText" type="xs:string" minOccurs="0"/>
      <xs:element name="ResponseCode" type="m:OutcomeCode"/>
      <xs:element name="DescriptiveLinkKey" type="xs:int" minOccurs="0"/>
      <xs:element name="MessageXml" type="m:OutcomeDetail" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="ResponseClass" type="m:OutcomeClass" use="required"/>
  </xs:complexType>
  <xs:complexType name="OutcomeDetail">
    <xs:sequence>
      <xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
  <xs:simpleType name="OutcomeClass">
    <xs:restriction base="xs:string">
      <xs:enumeration value="Success"/>
      <xs:enumeration value="Warning"/>
      <xs:enumeration value="Error"/>
    </xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="OutcomeCode">
    <xs:annotation>
      <xs:documentation>NoError, or one of Exchange's error codes.</xs:documentation>
    </xs:annotation>
    <xs:restriction base="xs:string">
      <xs:pattern value="NoError|Error[A-Za-z0-9]+"/>
    </xs:restriction>
  </xs:simpleType>

  <xs:element name="GetServerTimeZones" type="m:ZonesQuestion"/>
  <xs:complexType name="ZonesQuestion">
    <xs:sequence>
      <xs:element name="Ids" type="m:ZoneIds" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="ReturnFullTimeZoneData" type="xs:boolean"/>
  </xs:complexType>
  <xs:complexType name="ZoneIds">
    <xs:sequence>
      <xs:element ref="t:Id" minOccurs="0" maxOccurs="200"/>
    </xs:sequence>
  </xs:complexType>
  <xs:element name="GetServerTimeZonesResponse" type="m:ZonesAnswer"/>
  <xs:complexType name="ZonesAnswer">
    <xs:sequence>
      <xs:element name="ResponseMessages" type="m:ZonesOutcomes"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="ZonesOutcomes">
    <xs:sequence>
      <xs:element name="GetServerTimeZonesResponseMessage" type="m:ZonesOutcome" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="ZonesOutcome">
    <xs:complexContent>
      <xs:extension base="m:Outcome">
        <xs:sequence>
          <xs:element name="TimeZoneDefinitions" type="m:ZoneDefinitions" minOccurs="0"/>
        </xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>
  <xs:complexType name="ZoneDefinitions">
    <xs:sequence>
      <xs:element ref="t:TimeZoneDefinition" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
</xs:schema>
`;
