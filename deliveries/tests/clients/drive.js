"use strict";
// The service's own client, unmodified: only the host is ours. Prints what each call gave, as one JSON object.
const axios = require("axios");
const sdk = require("@doordash/sdk");

const { base, store, developer_id, key_id, signing_secret } = JSON.parse(process.argv[2]);
axios.defaults.baseURL = base;
const client = new sdk.DoorDashClient({ developer_id, key_id, signing_secret });
const stranger = new sdk.DoorDashClient({ developer_id, key_id, signing_secret: "A".repeat(43) });

const asked = (id, more) => ({
  external_delivery_id: id,
  pickup_external_business_id: developer_id,
  pickup_external_store_id: store,
  dropoff_address: "2212 Alta Drive, Las Vegas, NV 89107",
  dropoff_location: { lat: 36.1673, lng: -115.1787 },
  dropoff_phone_number: "+17025550148",
  dropoff_contact_given_name: "Rosa",
  order_value: 1999,
  ...more,
});

const told = async (call) => {
  try {
    const { status, data } = await call;
    return { status, state: data.delivery_status, fee: data.fee, tip: data.tip, id: data.external_delivery_id };
  } catch (error) {
    return { raised: error.constructor.name, code: error.errorCode, fields: error.fieldErrors };
  }
};

(async () => {
  const said = {};
  const steps = {
    quote: () => client.deliveryQuote(asked("Q-1")),
    accept: () => client.deliveryQuoteAccept("Q-1", { tip: 300 }),
    create: () => client.createDelivery(asked("D 2#ä")),
    create_again: () => client.createDelivery(asked("D 2#ä")),
    get: () => client.getDelivery("D 2#ä"),
    update: () => client.updateDelivery("D 2#ä", { tip: 450, dropoff_instructions: "Ring twice" }),
    cancel: () => client.cancelDelivery("D 2#ä"),
    picked_up_cancel: () => client.cancelDelivery("GONE"),
    picked_up_update: () => client.updateDelivery("GONE", { order_value: 5 }),
    delivered_cancel: () => client.cancelDelivery("DONE"),
    duplicate: () => client.createDelivery(asked("D 2#ä", { order_value: 1 })),
    unknown: () => client.getDelivery("NOBODY"),
    too_far: () => client.createDelivery(asked("FAR", { dropoff_location: { lat: 40.7, lng: -74 } })),
    no_store: () => client.createDelivery(asked("X", { pickup_external_store_id: "T222222" })),
    invalid: () => client.createDelivery(asked("BAD", { dropoff_phone_number: "12", tip: -1 })),
    unauthorized: () => stranger.getDelivery("Q-1"),
  };
  for (const [name, step] of Object.entries(steps)) said[name] = await told(step());
  console.log(JSON.stringify(said));
})();
