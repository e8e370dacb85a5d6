/** Validates SOAP bodies against the schemas the gateway itself serves, with libxml2. */

import { XmlBufferInputProvider, XmlDocument, XsdValidator, xmlRegisterInputProvider } from "libxml2-wasm";

export interface DescriptionSchema {
  /** Throws libxml2's complaints about the first element of the envelope's Body. */
  validate(envelope: string): void;
}

let count = 0;

export function descriptionSchema(messages: string, types: string): DescriptionSchema {
  // libxml2 looks an import up beside the document that has it, and remembers what it found there.
  const folder = `http://schema-${++count}.example/`;
  xmlRegisterInputProvider(new XmlBufferInputProvider({ [`${folder}types.xsd`]: Buffer.from(types) }));
  const validator = XsdValidator.fromDoc(XmlDocument.fromString(messages, { url: `${folder}messages.xsd` }));
  return {
    validate(envelope) {
      const body = XmlDocument.fromString(envelope).get("/s:Envelope/s:Body/*", {
        s: "http://schemas.xmlsoap.org/soap/envelope/",
      });
      if (body === null) throw new Error("no SOAP body");
      validator.validate(XmlDocument.fromString(standalone(envelope, body.toString())));
    },
  };
}

/** The element with the namespaces its envelope declares: cut out, it has lost them. */
function standalone(envelope: string, element: string): string {
  const declared = [...envelope.matchAll(/\sxmlns(?::\w+)?="[^"]*"/g)].map(([text]) => text.trim());
  const opening = /^<[^>]*>/.exec(element)?.[0] ?? "";
  const missing = [...new Map(declared.map((text) => [text.split("=")[0] as string, text])).entries()]
    .filter(([name]) => !opening.includes(`${name}=`))
    .map(([, text]) => text);
  return element.replace(/^<[\w:.-]+/, (tag) => `${tag} ${missing.join(" ")}`);
}
