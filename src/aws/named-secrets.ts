/**
 * Decides how secrets are had from AWS Secrets Manager: one secret holds all of them, a JSON
 * object from names to texts, as its console writes key/value pairs. They then count like
 * environment variables, so that the configuration names them `env:NAME` wherever it runs.
 *
 * A secret's value is never part of a message, nor is any text of AWS.
 */

import { failedCall } from "./failed-call.js";

/** Rejects with an Error whose message says which secret, and what to look at. `secretId`: name or ARN. */
export async function fetchNamedSecrets(secretId: string, timeoutMs: number): Promise<Record<string, string>> {
  return namedSecrets(secretId, await secretText(secretId, timeoutMs));
}

async function secretText(secretId: string, timeoutMs: number): Promise<string | undefined> {
  try {
    const { SecretsManager } = await import("@aws-sdk/client-secrets-manager");
    const api = new SecretsManager({ maxAttempts: 2 });
    try {
      const answer = await api.getSecretValue({ SecretId: secretId }, { abortSignal: AbortSignal.timeout(timeoutMs) });
      return answer.SecretString;
    } finally {
      api.destroy();
    }
  } catch (error) {
    const code = (error as Error).name === "AbortError" ? "ETIMEDOUT" : failedCall(error).code;
    throw new Error(
      `the secret ${secretId} cannot be had from AWS Secrets Manager (${code}). The function's role needs secretsmanager:GetSecretValue on it, and inside a VPC a way to the service.`,
    );
  }
}

/** Exported for its tests. */
export function namedSecrets(secretId: string, text: string | undefined): Record<string, string> {
  let held: unknown;
  try {
    held = JSON.parse(text ?? "");
  } catch {
    held = undefined;
  }
  const entries = typeof held === "object" && held !== null && !Array.isArray(held) ? Object.entries(held) : [];
  if (entries.length === 0 || entries.some(([, value]) => typeof value !== "string")) {
    throw new Error(`the secret ${secretId} is no JSON object of names and texts. Enter it as key/value pairs.`);
  }
  return Object.fromEntries(entries);
}
