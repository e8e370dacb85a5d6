/**
 * Decides what programs are told that want to be told how to ask: a WSDL 1.1 description
 * of the two operations that are answered in full. Written for this gateway; names are
 * those of the protocol, so that what is generated from it also speaks to Exchange.
 *
 * node-ews appends a service of its own to whatever it downloads, by text: it counts on
 * the prefixes `wsdl:` and `tns:` and on the binding's name.
 */

import { escaped } from "../xml-text.js";

const MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages";

/** The WSDL. `endpoint` is the URL at which EWS is posted; the schemas are looked for beside the WSDL. */
export function serviceDescription(endpoint: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions name="FreeBusyGateway" targetNamespace="${MESSAGES}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="${MESSAGES}"
    xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
  <wsdl:documentation>Free/busy time, asked in EWS. Every other operation of EWS is refused.</wsdl:documentation>
  <wsdl:types>
    <xs:schema>
      <xs:import namespace="${MESSAGES}" schemaLocation="messages.xsd"/>
      <xs:import namespace="http://schemas.microsoft.com/exchange/services/2006/types" schemaLocation="types.xsd"/>
    </xs:schema>
  </wsdl:types>
${OPERATIONS.map(messagesOf).join("")}  <wsdl:portType name="ExchangeServicePortType">
${OPERATIONS.map(operationOf).join("")}  </wsdl:portType>
  <wsdl:binding name="ExchangeServiceBinding" type="tns:ExchangeServicePortType">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
${OPERATIONS.map(bindingOf).join("")}  </wsdl:binding>
  <wsdl:service name="ExchangeServices">
    <wsdl:port name="ExchangeServicePort" binding="tns:ExchangeServiceBinding">
      <soap:address location="${escaped(endpoint)}"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
`;
}

interface Operation {
  readonly name: string;
  /** The elements of the SOAP bodies, in the messages namespace. */
  readonly request: string;
  readonly response: string;
  /** SOAP headers that count, beside the version: elements of the types namespace. */
  readonly headers: readonly string[];
}

const VERSION = "RequestServerVersion";
const OPERATIONS: readonly Operation[] = [
  {
    name: "GetUserAvailability",
    request: "GetUserAvailabilityRequest",
    response: "GetUserAvailabilityResponse",
    headers: ["TimeZoneContext", "ExchangeImpersonation", VERSION],
  },
  {
    name: "GetServerTimeZones",
    request: "GetServerTimeZones",
    response: "GetServerTimeZonesResponse",
    headers: [VERSION],
  },
];

function messagesOf({ name, request, response, headers }: Operation): string {
  const parts = headers.map((header) => `    <wsdl:part name="${header}" element="t:${header}"/>\n`).join("");
  return `  <wsdl:message name="${name}SoapIn">
    <wsdl:part name="request" element="tns:${request}"/>
${parts}  </wsdl:message>
  <wsdl:message name="${name}SoapOut">
    <wsdl:part name="response" element="tns:${response}"/>
    <wsdl:part name="ServerVersion" element="t:ServerVersionInfo"/>
  </wsdl:message>
`;
}

function operationOf({ name }: Operation): string {
  return `    <wsdl:operation name="${name}">
      <wsdl:input message="tns:${name}SoapIn"/>
      <wsdl:output message="tns:${name}SoapOut"/>
    </wsdl:operation>
`;
}

function bindingOf({ name, headers }: Operation): string {
  const written = headers
    .map((header) => `        <soap:header message="tns:${name}SoapIn" part="${header}" use="literal"/>\n`)
    .join("");
  return `    <wsdl:operation name="${name}">
      <soap:operation soapAction="${MESSAGES}/${name}"/>
      <wsdl:input>
        <soap:body parts="request" use="literal"/>
${written}      </wsdl:input>
      <wsdl:output>
        <soap:body parts="response" use="literal"/>
        <soap:header message="tns:${name}SoapOut" part="ServerVersion" use="literal"/>
      </wsdl:output>
    </wsdl:operation>
`;
}
