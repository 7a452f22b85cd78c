// demo.ts: the same program as demo.c, in AssemblyScript. All of it runs in the start function; the module exports its memory alone.
//
//   npm install && npm run build
//   minivm --dapr demo-as.wasm
import { JSON } from "assemblyscript-json/assembly";
import { DaprClient, StateItem } from "../../dapr/clients/assemblyscript/dapr";
import { print } from "../../dapr/clients/assemblyscript/http";

print("Testing Dapr API ....");

const dapr = new DaprClient();
dapr.trace = true;

const earlier = dapr.getState("statestore", "weapon");
print("of an earlier run: " + (earlier.isNull ? "nothing" : earlier.stringify()));

dapr.saveState("statestore", "weapon", JSON.Value.String("Death Star"));

const planet = JSON.Value.Object();
planet.set("name", "Tatooine");
planet.set("test", 123);
dapr.saveBulkState("statestore", [new StateItem("planets", planet)]);

const planets = dapr.getState("statestore", "planets");
const weapon = dapr.getState("statestore", "weapon");

if (weapon.toString() == "Death Star" && planets.isObj && (<JSON.Integer>(<JSON.Obj>planets).getInteger("test")).valueOf() == 123) {
  print("test successfully!");
} else {
  print("test failed!");
}
