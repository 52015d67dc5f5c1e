// Yjs documents as browsers have them, driven by JSON lines: one command in, one answer out.
import { createRequire } from "node:module"
import { createInterface } from "node:readline"

const require = createRequire(process.argv[2])
const Y = require("yjs")
const replicas = new Map()

const base64 = (bytes) => Buffer.from(bytes).toString("base64")
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"))

function create({ name, client }) {
  const doc = new Y.Doc()
  doc.clientID = client
  const cells = doc.getMap("cells")
  doc.getMap("meta")
  const updates = []
  doc.on("update", (update, origin) => {
    if (origin !== "remote") updates.push(base64(update))
  })
  const undo = new Y.UndoManager([cells], { captureTimeout: 0, trackedOrigins: new Set(["local"]) })
  replicas.set(name, { doc, cells, updates, undo })
  return {}
}

function cell({ type, pos, source, md }) {
  const text = new Y.Text()
  text.insert(0, source)
  const entry = new Y.Map()
  const metadata = new Y.Map()
  for (const [key, value] of Object.entries(md ?? {})) metadata.set(key, value)
  for (const [key, value] of [["t", type], ["pos", pos], ["source", text], ["md", metadata], ["att", new Y.Map()], ["del", null]])
    entry.set(key, value)
  return entry
}

function change(replica, op) {
  const entry = replica.cells.get(op.cell)
  if (op.kind === "add") return void replica.cells.set(op.cell, cell(op))
  if (entry === undefined) return
  const text = entry.get("source")
  switch (op.kind) {
    case "insert":
      return void text?.insert(Math.min(op.at, text.length), op.text)
    case "delete":
      return void text?.delete(op.at, Math.min(op.size, text.length - op.at))
    case "set":
      return void entry.set(op.key, op.value)
    case "md":
      return void entry.get("md")?.set(op.key, op.value)
    case "drop":
      return void replica.cells.delete(op.cell)
  }
}

const commands = {
  create,
  edit({ name, ops }) {
    const replica = replicas.get(name)
    replica.doc.transact(() => ops.forEach((op) => change(replica, op)), "local")
    return { updates: replica.updates.splice(0) }
  },
  undo({ name, redo }) {
    const replica = replicas.get(name)
    if (redo) replica.undo.redo()
    else replica.undo.undo()
    return { updates: replica.updates.splice(0) }
  },
  apply({ name, updates }) {
    const replica = replicas.get(name)
    for (const update of updates) Y.applyUpdate(replica.doc, bytes(update), "remote")
    return {}
  },
  state({ name, vector }) {
    const { doc } = replicas.get(name)
    return { update: base64(Y.encodeStateAsUpdate(doc, vector ? bytes(vector) : undefined)) }
  },
  vector({ name }) {
    return { vector: base64(Y.encodeStateVector(replicas.get(name).doc)) }
  },
  content({ name }) {
    const { doc, cells } = replicas.get(name)
    return { cells: cells.toJSON(), pending: doc.store.pendingStructs !== null, meta: doc.getMap("meta").toJSON() }
  },
  merge({ updates }) {
    return { update: base64(Y.mergeUpdates(updates.map(bytes))) }
  },
  forget({ name }) {
    replicas.get(name)?.doc.destroy()
    replicas.delete(name)
    return {}
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...args } = JSON.parse(line)
  let answer
  try {
    answer = commands[command](args)
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + "\n")
}
