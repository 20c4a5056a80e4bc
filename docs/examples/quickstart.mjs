// From a key to an order and back, with nothing but Node (20 or newer).
//
//   API=http://localhost:8000/api/v1 KEY=sk_… node quickstart.mjs
//
// Asks for a price, posts the order at that price, follows it, receives a signed webhook and checks it, and takes
// the order back. RECEIVER is where the service reaches this program: with a service on your own machine leave it out
// (and run the service with WEBHOOKS_ALLOW_PRIVATE=on); else the https address of a tunnel to port PORT.

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { KEY, PORT = "0", RECEIVER } = process.env;
const API = (process.env.API ?? "http://localhost:8000/api/v1").replace(/\/+$/, "");

/** The service said no. Branch on `code`; every code is explained at /api/errors/. */
class Refused extends Error {
  constructor({ code, message, request_id, retryable }) {
    super(`${code}: ${message} (${request_id})`);
    Object.assign(this, { code, retryable });
  }
}

/** One request. A write carries a key that makes sending it twice harmless, so that a retry is always right. */
async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
  if (["POST", "PUT", "PATCH"].includes(method)) headers["Idempotency-Key"] = randomUUID();
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(API + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (answer.ok) return text ? JSON.parse(text) : null;
    const refused = new Refused(JSON.parse(text));
    if (!refused.retryable || attempt === 3) throw refused;
    await sleep(1000 * Number(answer.headers.get("Retry-After") ?? 2));
  }
}

/**
 * The event in a webhook's body (a Buffer, as it came). Throws when it is not from the service.
 *
 * Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`; several signatures while a secret is being replaced.
 * Messages older than five minutes are refused, so that nobody can send yours again.
 */
export function verify(secret, headers, body, now = Date.now() / 1000) {
  const sentAt = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(now - sentAt) <= 300)) throw new Error("The message is too old.");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const wanted = Buffer.from(
    "v1," + createHmac("sha256", key).update(`${headers["webhook-id"]}.${sentAt}.`).update(body).digest("base64"),
  );
  const matches = headers["webhook-signature"].split(" ").some((each) => {
    const given = Buffer.from(each);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  if (!matches) throw new Error("The signature does not match.");
  return JSON.parse(body);
}

/** Have a signed event sent to us, and check that it is from the service, and that a forged one is not. */
async function receive() {
  const received = [];
  // Yours would also drop a `webhook-id` that it has seen before.
  const server = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    received.push([request.headers, Buffer.concat(parts)]);
    answer.writeHead(204, { Connection: "close" }).end();
  });
  server.listen(Number(PORT), "127.0.0.1");
  await once(server, "listening");
  const url = RECEIVER ?? `http://127.0.0.1:${server.address().port}/`;
  const endpoint = await call("POST", "/webhook-endpoints", { url, event_types: ["order.delivered"] });
  try {
    await call("POST", `/webhook-endpoints/${endpoint.code}/test`);
    const [headers, body] = received[0];
    console.log("webhook", verify(endpoint.secret, headers, body).type, "is genuine");
    try {
      verify(endpoint.secret, headers, Buffer.concat([body, Buffer.from(" ")]));
    } catch (error) {
      console.log("forged", error.message);
    }
  } finally {
    await call("DELETE", `/webhook-endpoints/${endpoint.code}`);
    server.close();
  }
}

const env = (name, otherwise) => process.env[name] ?? otherwise;
const inHours = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();

// The code of the first of our stores that delivers to this door.
async function storeFor(door) {
  for (const { code } of (await call("GET", "/stores")).results) {
    if ((await call("POST", "/serviceability", { store: code, dropoff: door })).serviceable) return code;
  }
  throw new Error("No store of yours delivers there. Set LINE1, CITY, REGION, POSTAL_CODE, LATITUDE, LONGITUDE.");
}

const dropoff = {
  line1: env("LINE1", "2212 Alta Drive"),
  city: env("CITY", "Las Vegas"),
  region: env("REGION", "NV"),
  postal_code: env("POSTAL_CODE", "89107"),
  latitude: Number(env("LATITUDE", "36.1673")),
  longitude: Number(env("LONGITUDE", "-115.1787")),
};
const quote = await call("POST", "/quotes", {
  store: await storeFor(dropoff),
  window: { start: inHours(2), end: inHours(4) },
  dropoff,
  parcels: [{ size: "small", grams: 900 }],
});
console.log("quote", quote.fee.cents, quote.fee.currency, "until", quote.expires_at);

let order = await call("POST", "/orders", {
  quote: quote.code,
  external_id: `WEB-${randomUUID().slice(0, 8)}`,
  recipient: { name: "Rosa Quintero", phone: "+1 702 555 0148" },
});
console.log("order", order.code, order.status);

for (const entry of (await call("GET", `/orders/${order.code}/timeline`)).results) {
  console.log("timeline", entry.timestamp, entry.type);
}

await receive();

try {
  await call("PUT", `/orders/${order.code}/cancellation`, { reason: "bored" });
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.log("refused", error.code);
}
order = await call("PUT", `/orders/${order.code}/cancellation`, { reason: "customer_changed_mind" });
console.log("order", order.code, order.status);
