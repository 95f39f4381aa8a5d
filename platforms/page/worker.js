/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steno's worker in the page: receives encoded frames of every tapped receiver, passes each on (a
 * black picture for one that nobody looks at), and sends a copy over the loopback link in batches (docs/page-link.md). Also plays
 * speech into the microphone track, and decoded audio of tracks that can't be tapped goes out here.
 */
'use strict';

const MAGIC = 0x314e5453; // "STN1"
const BATCH_BYTES = 16;
const RECORD_BYTES = 36;
const BATCH_MS = 8;
const AUDIO_BATCH_MS = 2; // sound goes on to live listeners; it takes waiting pictures along
const FULL_BYTES = 1 << 17;
const MAX_BUFFERED_BYTES = 8 << 20;
const MAX_QUEUED_TEXTS = 1000;
const STATS_MS = 2000;
const CODECS = {opus: 1, red: 2, pcm: 3, vp8: 4, vp9: 5, h264: 6, av1: 7};
const TYPE_AUDIO = 1, TYPE_VIDEO = 2;
const KEY_FRAME = 1, HAS_SEQUENCE = 2, HAS_LEVEL = 4;
const NO_CSRCS = [];

// --- the link ---

let socket = null;
let isOpen = false;
let announced = new Map(); // what every new link must hear: key -> JSON
let texts = [];
let early = []; // data that came before the link: [type, number, data]
let nDropped = 0;

function sendText(json) {
    if (isOpen) {
        flush(); // order: a track's announcement comes before its frames
        socket.send(json);
    } else if (texts.length < MAX_QUEUED_TEXTS) {
        texts.push(json);
    }
}

function announce(key, json) {
    announced.set(key, json);
    if (isOpen) {
        sendText(json);
    }
}

function connect(url) {
    if (socket !== null) {
        socket.onclose = socket.onopen = socket.onmessage = null;
        socket.close();
        isOpen = false;
    }
    resetBatch();
    const mine = socket = new WebSocket(url, ['steno.page.v1']);
    mine.binaryType = 'arraybuffer';
    mine.onopen = () => {
        isOpen = true;
        mine.send(JSON.stringify({type: 'hello', version: 1}));
        for (const json of announced.values()) {
            mine.send(json);
        }
        for (const json of texts) {
            mine.send(json);
        }
        texts = [];
        sendEarly();
    };
    mine.onclose = () => {
        isOpen = false;
        resetBatch();
    };
    mine.onmessage = (event) => {
        if (typeof event.data !== 'string') {
            say(new Int16Array(event.data));
            return;
        }
        const message = JSON.parse(event.data);
        if (message.type === 'flush') {
            stopSaying();
        } else if (message.type === 'key_frame') {
            askForKeyFrame(message.id);
        }
    };
}

// --- batches ---

let bytes = new Uint8Array(1 << 18);
let view = new DataView(bytes.buffer);
let pos = BATCH_BYTES;
let nRecords = 0;
let timer = 0;
let waitMs = Infinity; // what the timer was set to
let batchMs = 0; // when nobody listens live, sound and pictures wait so long

function resetBatch() {
    pos = BATCH_BYTES;
    nRecords = 0;
    clearTimeout(timer);
    timer = 0;
    waitMs = Infinity;
}

function flush() {
    if (nRecords > 0 && isOpen) {
        view.setUint32(0, MAGIC, true);
        view.setUint32(4, nRecords, true);
        view.setFloat64(8, performance.now(), true);
        socket.send(bytes.subarray(0, pos));
    }
    resetBatch();
}

/* Room for a record; returns where it starts. */
function reserve(size) {
    if (pos + size > bytes.length) {
        flush();
        if (BATCH_BYTES + size > bytes.length) {
            bytes = new Uint8Array(BATCH_BYTES + size);
            view = new DataView(bytes.buffer);
        }
    }
    const start = pos;
    pos += size;
    nRecords++;
    return start;
}

function endRecord(type) {
    const ms = batchMs || (type === TYPE_AUDIO ? AUDIO_BATCH_MS : BATCH_MS);
    if (pos >= FULL_BYTES) {
        flush();
    } else if (ms < waitMs) {
        clearTimeout(timer);
        waitMs = ms;
        timer = setTimeout(flush, ms);
    }
}

function writeRecord(head, csrcs, payload) {
    const nCsrcs = Math.min(csrcs.length, 15);
    let at = reserve(RECORD_BYTES + nCsrcs * 4 + payload.length);
    view.setUint8(at, head.type);
    view.setUint8(at + 1, head.codec);
    view.setUint8(at + 2, head.flags);
    view.setUint8(at + 3, nCsrcs);
    view.setUint32(at + 4, head.track, true);
    view.setUint32(at + 8, head.ssrc, true);
    view.setUint32(at + 12, head.timestamp, true);
    view.setFloat64(at + 16, head.receiveMs, true);
    view.setUint16(at + 24, head.sequence, true);
    view.setUint8(at + 26, head.level);
    view.setUint8(at + 27, head.layer);
    view.setUint16(at + 28, head.width, true);
    view.setUint16(at + 30, head.height, true);
    view.setUint32(at + 32, payload.length, true);
    at += RECORD_BYTES;
    for (let i = 0; i < nCsrcs; i++, at += 4) {
        view.setUint32(at, csrcs[i], true);
    }
    bytes.set(payload, at);
    endRecord(head.type);
}

/* One object, used again and again: nothing is allocated a frame. */
const head = {type: 0, codec: 0, flags: 0, track: 0, ssrc: 0, timestamp: 0, receiveMs: 0,
              sequence: 0, level: 127, layer: 0, width: 0, height: 0};

// --- the tap ---

const counts = new Map(); // track -> frames seen
const codecOf = new Map();
const heard = new Set(); // tracks of receivers whose sound comes

function codecNumber(mime) {
    let number = codecOf.get(mime);
    if (number === undefined) {
        number = CODECS[String(mime).split('/').pop().toLowerCase()] || 0;
        codecOf.set(mime, number);
    }
    return number;
}

// Comfort noise and dialled tones come between the packets of a codec; they are no codec.
const BESIDE_CODECS = /\/(cn|telephone-event)$/i;
const unknown = new Set(); // tracks that had a codec which nobody here decodes: they fall back for good

/* Whether @track can go on as a tapped one; the first time that it can not, tells the page's script. */
function isKnown(track, mime, codec) {
    if (codec === 0 && !unknown.has(track) && !BESIDE_CODECS.test(mime)) {
        unknown.add(track);
        postMessage({type: 'unknown_codec', id: track, mime: String(mime)});
    }
    return codec !== 0 && !unknown.has(track);
}

// --- key frames ---

const KEY_FRAME_AGAIN_MS = 1000;
const transformers = new Map(); // track -> its RTCRtpScriptTransformer
const askedMs = new Map(); // track -> when a key frame was asked for
const holed = new Set(); // video tracks with a frame missing since the last key frame

function askForKeyFrame(track) {
    const transformer = transformers.get(track);
    const now = performance.now();
    if (transformer !== undefined &&
        now - (askedMs.has(track) ? askedMs.get(track) : -Infinity) >= KEY_FRAME_AGAIN_MS) {
        askedMs.set(track, now);
        transformer.sendKeyFrameRequest().catch(ignore);
    }
}

/* What comes after a hole is of no use before a key frame; one is asked for. */
function isUseless(track, frame) {
    if (!holed.has(track)) {
        return false;
    }
    if (frame.type === 'key') {
        holed.delete(track);
        return false;
    }
    askForKeyFrame(track);
    return true;
}

function noteAudio(frame, meta) {
    head.type = TYPE_AUDIO;
    head.flags = 0;
    head.level = 127;
    head.layer = head.width = head.height = 0;
    if (meta.sequenceNumber !== undefined) {
        head.flags |= HAS_SEQUENCE;
        head.sequence = meta.sequenceNumber;
    }
    if (meta.audioLevel !== undefined) {
        head.flags |= HAS_LEVEL;
        head.level = meta.audioLevel > 0
            ? Math.min(127, Math.max(0, Math.round(-20 * Math.log10(meta.audioLevel)))) : 127;
    }
}

function noteVideo(frame, meta) {
    head.type = TYPE_VIDEO;
    head.flags = frame.type === 'key' ? KEY_FRAME : 0;
    head.sequence = 0;
    head.level = 127;
    head.layer = meta.spatialIndex || 0;
    head.width = meta.width || 0;
    head.height = meta.height || 0;
}

// --- pictures that nobody looks at are not decoded ---

/*
 * Key frames of 16x16 black pixels, a few bytes each. The browser's decoder gets one in place of a
 * picture that was copied: it decodes, counts and acknowledges every frame as before, in a hundredth
 * of the time. Loss is found, and pictures asked for again, by the packets' numbers, not in here.
 */
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const STAND_INS = new Map([
    [CODECS.vp8, bytesOf('EAIAnQEqEAAQAABHCIWFiIWEiAICAAwNYAD+/6tQgA==')],
    [CODECS.vp9, bytesOf('gkmDQgAA8AD2ADgkHBhKAAAwYAAAEL///UiMAA==')],
    [CODECS.h264, bytesOf('AAAAAWdCwArZHsBEAAADAAQAAAMAyDxImSAAAAABaMuDyyAAAAFliIQK8mKAAKe+')],
]);
let standInPx = 0; // for pictures of at least so many pixels; 0: for none
const sizes = new Map(); // track -> pixels of its pictures, as far as they said
const layered = new Set(); // tracks whose pictures come in layers

function spare(track, codec, frame) {
    if (head.layer > 0) {
        layered.add(track);
    }
    if (head.width > 0) {
        sizes.set(track, head.width * head.height);
    }
    const standIn = STAND_INS.get(codec);
    if (standInPx > 0 && standIn !== undefined && !layered.has(track) &&
        sizes.get(track) >= standInPx) {
        frame.data = standIn.slice().buffer;
    }
}

function note(track, kind, fallbackMime, frame) {
    counts.set(track, (counts.get(track) || 0) + 1);
    const meta = frame.getMetadata();
    const mime = meta.mimeType || fallbackMime;
    const codec = codecNumber(mime);
    if (!isKnown(track, mime, codec)) {
        return;
    }
    if (!isOpen || socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        nDropped += isOpen ? 1 : 0;
        if (kind === 'video') {
            holed.add(track);
        }
        return;
    }
    if (kind === 'video' && isUseless(track, frame)) {
        return;
    }
    if (kind === 'audio') {
        heard.add(track);
        noteAudio(frame, meta);
    } else {
        noteVideo(frame, meta);
    }
    head.codec = codec;
    head.track = track;
    head.ssrc = meta.synchronizationSource || 0;
    head.timestamp = meta.rtpTimestamp === undefined ? frame.timestamp : meta.rtpTimestamp;
    head.receiveMs = meta.receiveTime === undefined ? performance.now() : meta.receiveTime;
    writeRecord(head, meta.contributingSources || NO_CSRCS, new Uint8Array(frame.data));
    if (kind === 'video') {
        spare(track, codec, frame);
    }
}

function ignore() {}

async function pump(options, readable, writable) {
    const reader = readable.getReader();
    const writer = writable.getWriter();
    writer.closed.catch(ignore);
    try {
        for (;;) {
            const {value, done} = await reader.read();
            if (done) {
                break;
            }
            try {
                note(options.id, options.kind, options.mime, value);
            } finally {
                writer.write(value).catch(ignore); // whatever happens, the receiver gets it
            }
        }
        await writer.close();
    } catch {
        // The page put a transform of its own in this one's place; its setter has told so. Any
        // other end is seen by the watchdog: the track receives, and the tap does not.
    }
}

self.onrtctransform = (event) => {
    const {options, readable, writable} = event.transformer;
    transformers.set(options.id, event.transformer);
    pump(options, readable, writable);
};

setInterval(() => {
    postMessage({type: 'counts', counts});
    if (isOpen) {
        sendText(JSON.stringify({type: 'stats', frames: Object.fromEntries(counts),
                                 dropped: nDropped}));
    }
}, STATS_MS);

// --- decoded audio of tracks that can't be tapped ---

const sourcesOf = new Map(); // track -> contributing sources, as the main thread polled them

/* Mono s16 at 48 kHz. The browser decodes to 48 kHz; other rates are stretched linearly. */
function toPcm(data) {
    const n = data.numberOfFrames;
    const mix = new Float32Array(n);
    const plane = new Float32Array(n);
    for (let c = 0; c < data.numberOfChannels; c++) {
        data.copyTo(plane, {planeIndex: c, format: 'f32-planar'});
        for (let i = 0; i < n; i++) {
            mix[i] += plane[i] / data.numberOfChannels;
        }
    }
    const step = data.sampleRate / 48000;
    const pcm = new DataView(new ArrayBuffer(Math.floor(n / step) * 2));
    for (let i = 0; i * 2 < pcm.byteLength; i++) {
        const x = i * step, k = Math.floor(x), next = Math.min(k + 1, n - 1);
        const sample = mix[k] + (mix[next] - mix[k]) * (x - k);
        pcm.setInt16(i * 2, Math.max(-32768, Math.min(32767, Math.round(sample * 32767))), true);
    }
    return new Uint8Array(pcm.buffer);
}

const QUIET_SAMPLES = 14400; // 300 ms: then a page that plays nothing is not sent

/* @page: what the page plays by itself, see sound.js. */
async function decode(track, readable, page) {
    const reader = readable.getReader();
    let timestamp = 0;
    let nQuiet = QUIET_SAMPLES;
    if (!page) {
        heard.add(track);
    }
    for (;;) {
        const {value, done} = await reader.read();
        if (done) {
            return;
        }
        const pcm = toPcm(value);
        value.close();
        nQuiet = pcm.some((byte) => byte !== 0) ? 0 : nQuiet + pcm.length / 2;
        const idle = page && (heard.size > 0 || nQuiet >= QUIET_SAMPLES);
        if (isOpen && !idle && socket.bufferedAmount <= MAX_BUFFERED_BYTES) {
            Object.assign(head, {type: TYPE_AUDIO, codec: CODECS.pcm, flags: 0, track, ssrc: 0,
                                 timestamp: timestamp >>> 0, receiveMs: performance.now(),
                                 sequence: 0, level: 127, layer: 0, width: 0, height: 0});
            writeRecord(head, sourcesOf.get(track) || NO_CSRCS, pcm);
        }
        timestamp += pcm.length / 2;
    }
}

// --- data channels and fetched bodies ---

function sendData(type, number, data) {
    Object.assign(head, {type, codec: 0, flags: 0, track: number, ssrc: 0, timestamp: 0,
                         receiveMs: performance.now(), sequence: 0, level: 127, layer: 0,
                         width: 0, height: 0});
    if (isOpen) {
        writeRecord(head, NO_CSRCS, new Uint8Array(data));
        flush();
    } else if (early.length < MAX_QUEUED_TEXTS) {
        early.push([type, number, data]);
    }
}

function sendEarly() {
    const waiting = early;
    early = [];
    for (const [type, number, data] of waiting) {
        sendData(type, number, data);
    }
}

// --- speech ---

const BLOCK = 480; // 10 ms at 48 kHz
const LEAD_MS = 20; // waits this long before the first block, against uneven delivery
const TAIL_BLOCKS = 20; // silence after the last one, so that the encoder lets go of it
const MAX_SPEECH_BLOCKS = 500;
let microphone = null; // writer of the microphone's track
let speech = []; // blocks of BLOCK samples
let rest = new Int16Array(0);
let speaking = 0; // timer
let startedMs = 0;
let nSaid = 0;
let tail = 0;
let audioTimeUs = 0;

function say(samples) {
    const all = new Int16Array(rest.length + samples.length);
    all.set(rest);
    all.set(samples, rest.length);
    let i = 0;
    for (; i + BLOCK <= all.length; i += BLOCK) {
        speech.push(all.subarray(i, i + BLOCK));
    }
    rest = all.slice(i);
    if (speech.length > MAX_SPEECH_BLOCKS) {
        speech.splice(0, speech.length - MAX_SPEECH_BLOCKS);
    }
    tail = TAIL_BLOCKS;
    if (speaking === 0 && microphone !== null) {
        startedMs = performance.now() + LEAD_MS;
        nSaid = 0;
        speaking = setInterval(sayDue, 5);
    }
}

function writeBlock(block) {
    const data = new AudioData({format: 's16', sampleRate: 48000, numberOfFrames: BLOCK,
                                numberOfChannels: 1, timestamp: audioTimeUs, data: block});
    audioTimeUs += 10000;
    microphone.write(data).catch(ignore);
}

const SILENCE = new Int16Array(BLOCK);

/* Writes the blocks that are due. A stall of the worker is not made up for in one burst. */
function sayDue() {
    const due = Math.floor((performance.now() - startedMs) / 10);
    if (due - nSaid > 10) {
        nSaid = due - 10;
    }
    for (; nSaid < due; nSaid++) {
        if (speech.length > 0) {
            writeBlock(speech.shift());
        } else if (tail > 0) {
            tail--;
            writeBlock(SILENCE);
        } else {
            clearInterval(speaking);
            speaking = 0;
            rest = new Int16Array(0);
            return;
        }
    }
}

function stopSaying() {
    speech = [];
    rest = new Int16Array(0);
}

// --- orders of the main thread ---

const orders = {
    link: (order) => connect(order.url),
    announce: (order) => announce(order.key, order.json),
    forget: (order) => {
        const track = Number(order.key.slice('track'.length));
        announced.delete(order.key);
        [heard, unknown, holed, transformers, askedMs].forEach((known) => known.delete(track));
    },
    text: (order) => sendText(order.json),
    data: (order) => sendData(order.record, order.number, order.data),
    decode: (order) => decode(order.id, order.readable, order.page === true)
        .catch(ignore),
    sources: (order) => sourcesOf.set(order.id, order.sources),
    batch: (order) => {
        batchMs = order.ms;
    },
    stand_in: (order) => {
        standInPx = order.px;
    },
    microphone: (order) => {
        microphone = order.writable.getWriter();
        microphone.closed.catch(ignore);
    },
};

self.onmessage = (event) => orders[event.data.type](event.data);
