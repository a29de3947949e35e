// Reads one pixel of a Zarr store with zarrita, and every other array of its group.
import fs from "fs";
import * as zarr from "zarrita";
import { FileSystemStore } from "@zarrita/storage";

const [path, group, layer, ...place] = process.argv.slice(2);
const root = zarr.root(new FileSystemStore(`${path}/${group}`));
const open = (name) => zarr.open(root.resolve(name), { kind: "array" });

const array = await open(layer);
const value = await zarr.get(array, place.map(Number));
const wkt = (await open("spatial_ref")).attrs.crs_wkt;
const unread = [];
let text = null;
for (const name of fs.readdirSync(`${path}/${group}`)) {
  if (!fs.statSync(`${path}/${group}/${name}`).isDirectory()) continue;
  try {
    const data = (await zarr.get(await open(name))).data;
    if (name === "product_name") text = Array.from(data)[0];
  } catch (error) {
    unread.push(name);
  }
}
const packages = new URL("node_modules/zarrita/package.json", import.meta.url);
const version = JSON.parse(fs.readFileSync(packages)).version;
const epsg = Number(wkt.match(/ID\["EPSG",(\d+)\]\]$/)[1]);
console.log(JSON.stringify({ version, value, epsg, text, unread }));
