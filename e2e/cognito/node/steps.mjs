// What the scripts share: each step prints one line of JSON, which the Go test reads.
import assert from 'node:assert/strict';

export const { ENDPOINT, POOL, CLIENT, ROTATING } = process.env;
export const password = 'Correct-horse-1';
export const changed = 'Battery-staple-2';
export const reset = 'Gate-of-two-doors-3';

const print = line => process.stdout.write(JSON.stringify(line) + '\n');

// step runs one step; a failure is printed and ends the script.
export async function step(name, run) {
  try {
    const value = await run();
    print({ step: name, ok: true });
    return value;
  } catch (error) {
    print({ step: name, ok: false, error: `${error?.name}: ${error?.message}` });
    process.exit(1);
  }
}

// refused runs a step that must fail with a given exception, and a message if one is given.
export function refused(name, exception, run, message) {
  return step(name, async () => {
    let value;
    try {
      value = await run();
    } catch (error) {
      assert.ok([error.name, error.code, error.constructor.name].includes(exception), `want ${exception}, got ${error.constructor.name} ${error.code}: ${error.message}`);
      if (message) assert.equal(error.message, message);
      return;
    }
    assert.fail(`want ${exception}, got ${JSON.stringify(value)}`);
  });
}

// codeOf reads the code that Cognito would have sent by e-mail.
export async function codeOf(username, purpose) {
  const answer = await fetch(`${ENDPOINT}/devidp/codes?username=${encodeURIComponent(username)}`);
  const found = (await answer.json()).codes.find(code => code.purpose === purpose);
  assert.ok(found, `no code for ${username}`);
  return found.code;
}

export const claims = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

// sameSession checks what a refresh must keep and what it must renew.
export function sameSession(before, after) {
  for (const name of ['sub', 'origin_jti', 'event_id', 'auth_time']) {
    assert.ok(claims(before)[name], name);
    assert.equal(claims(after)[name], claims(before)[name], name);
  }
  assert.notEqual(claims(after).jti, claims(before).jti);
}
