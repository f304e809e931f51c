// The clients: node client.mjs plain|browser|nakama|colyseus. Takes commands on standard input and prints what happens, a JSON
// object a line each: {op: open|stubborn|say, id, address, token, text} and {id, event: ready|open|message|close|drop|reconnect|error|stop, code, reason}.
import { createInterface } from 'node:readline';

const tell = (id, event, more) => console.log(JSON.stringify({ id, event, ...more }));
const open = await { plain, browser, nakama, colyseus }[process.argv[2]]();
const say = new Map();
tell('client', 'ready');

createInterface({ input: process.stdin }).on('line', async (line) => {
  const command = JSON.parse(line);
  try {
    if (command.op !== 'say') say.set(command.id, await open(command));
    else await say.get(command.id)(command.text);
  } catch (error) {
    tell(command.id, 'error', { reason: String(error?.message ?? error?.type ?? error), code: error?.code });
  }
}).on('close', () => process.exit(0));

async function plain() {
  const { WebSocket } = await import('ws');
  return ({ op, id, address, token, ticket }) => {
    if (op === 'stubborn') return comeBack(id, () => new WebSocket(`ws://${address}/ws?ticket=${ticket}`), watch);
    const socket = new WebSocket(`ws://${address}/ws`, { headers: { Authorization: `Bearer ${token}` } });
    socket.on('unexpected-response', (_, response) => tell(id, 'refused', { code: response.statusCode }));
    return watch(id, socket);
  };
}

function watch(id, socket) {
  socket.onopen = () => tell(id, 'open');
  socket.onmessage = (e) => { if (e.data.length < 1000) tell(id, 'message', { reason: String(e.data) }); };
  socket.onclose = (e) => tell(id, 'close', { code: e.code, reason: e.reason });
  socket.onerror = () => {};
  return (text) => socket.send(text);
}

// comeBack is a client that comes back with the URL that it has, unless the code says that this is of no use.
function comeBack(id, connect, watch) {
  const socket = connect();
  const say = watch(id, socket);
  const told = socket.onclose;
  socket.onclose = (e) => {
    told(e);
    if (e.code >= 4400 && e.code < 4500 && e.code !== 4408 || e.code === 1000 || e.code === 1008) tell(id, 'stop', { code: e.code, reason: e.reason });
    else setTimeout(() => comeBack(id, connect, watch), 200);
  };
  return say;
}

// A browser can set no header: it comes with a ticket, as its pages should.
async function browser() {
  const { chromium } = await import('playwright-core');
  const chrome = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await (await chrome.newContext()).newPage();
  await page.exposeFunction('tell', tell);
  await page.evaluate(`globalThis.watch = ${watch}; globalThis.comeBack = ${comeBack}; globalThis.say = {}`);
  return async ({ op, id, address, ticket }) => {
    await page.evaluate(([op, id, url]) => {
      const connect = () => new WebSocket(url);
      say[id] = op === 'stubborn' ? comeBack(id, connect, watch) : watch(id, connect());
    }, [op, id, `ws://${address}/ws?ticket=${ticket}`]);
    return (text) => page.evaluate(([id, text]) => say[id](text), [id, text]);
  };
}

async function nakama() {
  const { WebSocket } = await import('ws');
  Object.assign(globalThis, { WebSocket, window: globalThis });
  const { Client } = await import('@heroiclabs/nakama-js');
  return async ({ id, address, token }) => {
    const [host, port] = address.split(':');
    const socket = new Client('defaultkey', host, port, false).createSocket(false);
    socket.setHeartbeatTimeoutMs(1e6);
    socket.ondisconnect = (e) => tell(id, 'close', { code: e.code, reason: e.reason });
    socket.onerror = () => {};
    await socket.connect({ token }, false);
    tell(id, 'open');
    const raw = socket.adapter._socket;
    return (text) => raw.send(JSON.stringify(text));
  };
}

async function colyseus() {
  const { Client } = await import('@colyseus/sdk');
  console.warn = console.debug = console.info = () => {};
  return async ({ id, address, token }) => {
    const client = new Client(`http://${address}`);
    client.auth.token = token;
    const room = await client.joinOrCreate('arena');
    room.reconnection.minUptime = 0; // 5 s by default: the SDK gives a room up that broke sooner
    room.onMessage('echo', ({ text }) => tell(id, 'message', { reason: text }));
    room.onMessage('flood', () => {});
    room.onDrop((code, reason) => tell(id, 'drop', { code, reason }));
    room.onReconnect(() => tell(id, 'reconnect'));
    room.onError((code, reason) => tell(id, 'error', { code, reason }));
    room.onLeave((code, reason) => tell(id, 'close', { code, reason }));
    tell(id, 'open');
    return (text) => room.send(text === 'die' || text === 'flood' ? text : 'echo', { text });
  };
}
