/**
 * The part of the types schema that describes zones, in both forms the protocol has: bias
 * and two rules (TimeZone), and periods with the transitions between them (TimeZoneDefinition).
 *
 * Each child of a definition is optional on its own, though they come together or not at all:
 * generic clients (zeep) do not understand a sequence that is optional as a whole.
 */

import { oneOf } from "./enumeration.js";

export function zoneTypes(): string {
  return `
  <xs:element name="Id" type="xs:string"/>
  <xs:element name="TimeZoneDefinition" type="t:ZoneDefinition"/>
  <xs:complexType name="ZoneDefinition">
    <xs:sequence>
      <xs:element name="Periods" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Period" maxOccurs="unbounded">
              <xs:complexType>
                <xs:attribute name="Bias" type="xs:duration" use="required"/>
                <xs:attribute name="Name" type="xs:string" use="required"/>
                <xs:attribute name="Id" type="xs:string" use="required"/>
              </xs:complexType>
            </xs:element>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="TransitionsGroups" minOccurs="0">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="TransitionsGroup" type="t:Transitions" maxOccurs="unbounded"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="Transitions" type="t:Transitions" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="Id" type="xs:string"/>
    <xs:attribute name="Name" type="xs:string"/>
  </xs:complexType>
  <xs:complexType name="Transitions">
    <xs:choice maxOccurs="unbounded">
      <xs:element name="Transition" type="t:Transition"/>
      <xs:element name="AbsoluteDateTransition" type="t:AbsoluteDateTransition"/>
      <xs:element name="RecurringDayTransition" type="t:RecurringDayTransition"/>
      <xs:element name="RecurringDateTransition" type="t:RecurringDateTransition"/>
    </xs:choice>
    <xs:attribute name="Id" type="xs:string"/>
  </xs:complexType>
  <xs:complexType name="Transition">
    <xs:sequence>
      <xs:element name="To">
        <xs:complexType>
          <xs:simpleContent>
            <xs:extension base="xs:string">
              <xs:attribute name="Kind" use="required">
                <xs:simpleType>
                  <xs:restriction base="xs:string">
                    <xs:enumeration value="Period"/>
                    <xs:enumeration value="Group"/>
                  </xs:restriction>
                </xs:simpleType>
              </xs:attribute>
            </xs:extension>
          </xs:simpleContent>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="AbsoluteDateTransition">
    <xs:complexContent>
      <xs:extension base="t:Transition">
        <xs:sequence>
          <xs:element name="DateTime" type="xs:dateTime"/>
        </xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>
  <xs:complexType name="RecurringDayTransition">
    <xs:complexContent>
      <xs:extension base="t:Transition">
        <xs:sequence>
          <xs:element name="TimeOffset" type="xs:duration"/>
          <xs:element name="Month" type="xs:int"/>
          <xs:element name="DayOfWeek" type="t:Weekday"/>
          <xs:element name="Occurrence" type="xs:int"/>
        </xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>
  <xs:complexType name="RecurringDateTransition">
    <xs:complexContent>
      <xs:extension base="t:Transition">
        <xs:sequence>
          <xs:element name="TimeOffset" type="xs:duration"/>
          <xs:element name="Month" type="xs:int"/>
          <xs:element name="Day" type="xs:int"/>
        </xs:sequence>
      </xs:extension>
    </xs:complexContent>
  </xs:complexType>

  <xs:element name="TimeZone" type="t:ZoneRules"/>
  <xs:complexType name="ZoneRules">
    <xs:annotation>
      <xs:documentation>Bias is in minutes and added to local time to reach UTC. A rule says when its season begins, and what it adds to Bias.</xs:documentation>
    </xs:annotation>
    <xs:sequence>
      <xs:element name="Bias" type="t:Bias"/>
      <xs:element name="StandardTime" type="t:ZoneRule"/>
      <xs:element name="DaylightTime" type="t:ZoneRule"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="ZoneRule">
    <xs:sequence>
      <xs:element name="Bias" type="t:Bias"/>
      <xs:element name="Time" type="xs:string"/>
      <xs:element name="DayOrder" type="xs:short"/>
      <xs:element name="Month" type="xs:short"/>
      <xs:element name="DayOfWeek" type="t:Weekday"/>
      <xs:element name="Year" type="xs:string" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:simpleType name="Bias">
    <xs:restriction base="xs:int">
      <xs:minInclusive value="-1440"/>
      <xs:maxInclusive value="1440"/>
    </xs:restriction>
  </xs:simpleType>
${oneOf("Weekday", ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Day", "Weekday", "WeekendDay"])}`;
}
