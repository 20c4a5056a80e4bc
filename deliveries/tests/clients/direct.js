"use strict";
// The service's own client, unmodified: only the host is ours. Prints what each call gave, as one JSON object.
const { base, customer, client_id, client_secret, store } = JSON.parse(process.argv[2]);
Object.assign(process.env, {
  UBER_DIRECT_CLIENT_ID: client_id,
  UBER_DIRECT_CLIENT_SECRET: client_secret,
  UBER_DIRECT_CUSTOMER_ID: customer,
});
const { getAccessToken } = require("uber-direct/auth");
const { createDeliveriesClient } = require("uber-direct/deliveries");

const theirs = globalThis.fetch;
globalThis.fetch = (url, options) => theirs(String(url).replace(/^https:\/\/(login|api)\.uber\.com/, base), options);

const address = (street, zip_code) =>
  JSON.stringify({ street_address: [street], city: "Las Vegas", state: "NV", zip_code, country: "US" });
const way = {
  external_store_id: store,
  pickup_address: address("3200 Las Vegas Blvd S", "89109"),
  dropoff_address: address("2212 Alta Drive", "89107"),
  dropoff_latitude: 36.1673,
  dropoff_longitude: -115.1787,
};
const asked = (external_id, more) => ({
  ...way,
  pickup_name: "Northwind Shoes",
  pickup_phone_number: "+17025550100",
  dropoff_name: "Rosa",
  dropoff_phone_number: "+17025550148",
  external_id,
  manifest_items: [
    { name: "Boots", quantity: 1, size: "small", price: 1000, dimensions: { length: 20, height: 7, depth: 15 },
      must_be_upright: false, weight: 300, vat_percentage: 1250000 },
  ],
  external_user_info: { device: { id: "x" } },
  ...more,
});

const told = async (call, shown) => {
  try {
    return shown(await call);
  } catch (error) {
    return { status: error.status, code: error.code, metadata: error.metadata };
  }
};
const brief = ({ id, status, complete, fee, tip, quote_id }) => ({ id, status, complete, fee, tip, quote_id });

(async () => {
  const client = createDeliveriesClient(await getAccessToken());
  const said = {};
  said.quote = await told(client.createQuote(way), ({ id, fee, kind, currency_type }) => ({ id, fee, kind, currency_type }));
  said.create = await told(client.createDelivery(asked("E-1", { quote_id: said.quote.id, tip: 500 })), brief);
  const { id } = said.create;
  const steps = {
    get: () => told(client.getDelivery(id), brief),
    list: () => told(client.listDeliveries({ filter: "pending", limit: 1, Offset: 0 }), ({ data }) => data.map((each) => each.id)),
    update: () => told(client.updateDelivery(id, { dropoff_notes: "Ring twice", tip_by_customer: 700 }), brief),
    proof: () => told(client.proofOfDelivery(id, { waypoint: "dropoff", type: "picture" }), (given) => given),
    cancel: () => told(client.cancelDelivery(id), brief),
    duplicate: () => told(client.createDelivery(asked("E-1", { tip: 1 })), brief),
    used_quote: () => told(client.createDelivery(asked("E-2", { quote_id: said.quote.id })), brief),
    unknown: () => told(client.getDelivery("del_NOBODY"), brief),
    incomplete: () => told(client.createDelivery({ pickup_name: "x" }), brief),
  };
  for (const [name, step] of Object.entries(steps)) said[name] = await step();
  console.log(JSON.stringify(said));
})();
