// What the file, its headers and the creation of the election may not be: checks 1 to 4 (spec 9.2).

import { utf8 } from '../dist/bytes.js';
import * as encode from './support/encode.js';
import { forbids } from './support/forbidden.js';
import { SLOT, STEPS } from './support/network.js';
import { ascending, forge, kemKey, renamed, SLOT_ITEM } from './support/steps.js';

forbids({
  1: {
    'the record ends early': { certify: null },
    'a declaration that lists more than 256 ballots': {
      agree: (n) => n.block(n.declareMissing({ kind: 'some', credentials: ascending(257) }, [1])),
    },
    'a name of more than 256 bytes': renamed(utf8('a'.repeat(257))),
    'a KEM key too long': { create: (n) => ((n.manifest = kemKey(n.manifest, 1217)), STEPS.create(n)) },
    'an address of more than 256 bytes': { setup: (n) => n.block(n.announce(1, `http://${'a'.repeat(250)}`)) },
    'a message of another election': {
      setup: (n) => n.block([{ ...n.accept([1])[0], eid: new Uint8Array(32) }]),
    },
  },
  2: {
    'a height is left out': { freeze: (n) => n.block(n.freeze(), { height: n.height + 2 }) },
    'a height comes twice': { freeze: (n) => n.block(n.freeze(), { height: n.height }) },
    'a parent is another': { freeze: (n) => n.block(n.freeze(), { parent: new Uint8Array(32) }) },
    'the time goes back': { freeze: (n) => n.block(n.freeze(), { time: n.time - 1 }) },
    'a header without a slot': { freeze: (n) => n.block(n.freeze(), { items: () => [encode.digestItem(5, 'aura', new Uint8Array(64))] }) },
    'a header with its slot twice': { freeze: (n) => n.block(n.freeze(), { items: (slot) => [SLOT_ITEM(slot), SLOT_ITEM(slot)] }) },
    'a header whose slot is of another engine': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(6, 'babe', encode.u64(slot))] }),
    },
    'a header whose slot is no pre-runtime item': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(4, 'aura', encode.u64(slot))] }),
    },
    'a header whose slot has nine bytes': {
      freeze: (n) => n.block(n.freeze(), { items: (slot) => [encode.digestItem(6, 'aura', encode.join([encode.u64(slot), encode.u8(0)]))] }),
    },
    'a header with an item that there is not': { freeze: (n) => n.block(n.freeze(), { items: (slot) => [SLOT_ITEM(slot), encode.u8(1)] }) },
    'a first block of slot 0': { create: (n) => n.block(n.create([0]), { slot: 0 }) },
    'the slot is another': { freeze: (n) => n.block(n.freeze(), { slot: Math.floor(n.time / SLOT) + 2 }) },
  },
  3: {
    'the manifest breaks a rule': {
      create: (n) => {
        n.manifest = { ...n.manifest, quorum: 2 };
        n.eid = n.eidOf(n.manifest);
        STEPS.create(n);
      },
    },
    'the manifest is another': { create: (n) => ((n.manifest = { ...n.manifest, title: 'x' }), STEPS.create(n)) },
    'a name that is no text': renamed(Uint8Array.of(0x61, 255)),
    'a KEM key too short': { create: (n) => ((n.manifest = kemKey(n.manifest, 1215)), (n.eid = n.eidOf(n.manifest)), STEPS.create(n)) },
    'a creation of another number after the creation': { setup: (n) => (n.number++, n.block(n.create([0]))) },
    'the number is another': { create: (n) => (n.number++, STEPS.create(n)) },
  },
  4: {
    'one member approves twice': { create: (n) => n.block(n.create([0])).block(n.create([0])) },
    'someone else approves': { create: (n) => n.block(forge(n.create([0, 1]), 1)) },
    'it is created twice': { setup: (n) => n.block(n.create([0])) },
    'a member whom the board has not': { create: (n) => n.block(n.create([0, 3])) },
  },
});
