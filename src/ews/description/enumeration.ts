/** How a type with a closed list of values is written in a schema: a token, because some senders pad their lines. */

export function oneOf(name: string, values: readonly string[]): string {
  const written = values.map((value) => `      <xs:enumeration value="${value}"/>\n`).join("");
  return `  <xs:simpleType name="${name}">
    <xs:restriction base="xs:token">
${written}    </xs:restriction>
  </xs:simpleType>
`;
}
