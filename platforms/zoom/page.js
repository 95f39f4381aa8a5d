/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only Zoom's page tells, since its wire is opaque: who is in the list of participants or, while
 * that is closed, has a tile; whose tile is marked as speaking; the chat. Both panes are opened once
 * the bot is in the call. Runs beside tap.js, dom.js and people.js.
 */
const LOOK_MS = 1000;
const SPEAKERS_MS = 100;
const MAX_ROWS = 1000;
let chatOpened = false;
let toldDrawn = false;

function openPanes() {
    openList();
    if (!chatOpened) {
        chatOpened = true;
        openChatPane();
    }
}

function hasWord(words, purpose) {
    const known = (RULES.purposes[purpose] || []).flatMap((candidate) => candidate.wanted);
    return words.some((word) => known.includes(word));
}

/* What stands beside a name, "(Host, me)", is another element: a name may be any text. */
function readRow(row) {
    const name = partOf(row, 'person_name');
    const label = partOf(row, 'person_label');
    const words = (label === null ? '' : label.innerText).replace(/[()]/g, '').split(',').map(normal);
    const whole = row.getAttribute('aria-label') || '';
    const shown = name === null ? '' : name.innerText.trim();
    const state = (whole.startsWith(shown) ? whole.slice(shown.length) : whole).split(',').map(normal);
    return {
        name: name === null ? nameOf(whole).trim() : shown,
        host: hasWord(words, 'person_host'),
        self: hasWord(words, 'person_self'),
        muted: hasWord(state, 'person_muted'),
    };
}

function nameOfTile(tile) {
    const part = partOf(tile, 'tile_name');
    return part === null ? '' : part.innerText.trim();
}

/* Zoom's number of the person whose picture is in @tile, which tells people of one name apart; "" when
 * it does not show. */
function numberOfTile(tile) {
    return (RULES.purposes.tile_number || []).map(({css, attribute}) => {
        const part = tile.querySelector(css);
        return part === null ? '' : part.getAttribute(attribute) || '';
    }).find((number) => /^\d{1,19}$/.test(number)) || '';
}

/* How many people there are, by the page's own count; -1: it does not say. */
function countPeople() {
    for (const {element, candidate} of allOf('people_count')) {
        const text = candidate.attribute ? element.getAttribute(candidate.attribute)
            : element.innerText;
        const digits = /\d+/.exec(text || '');
        if (digits !== null) {
            return Number(digits[0]);
        }
    }
    return -1;
}

/* A long list holds only the rows that can be seen: then who is not in it may be there. */
function tellPeople() {
    const listed = allOf('person_row').slice(0, MAX_ROWS).map(({element}) => readRow(element));
    const shown = allOf('tile').slice(0, MAX_ROWS)
        .map(({element}) => ({name: nameOfTile(element), host: false, self: false, muted: false,
                              number: numberOfTile(element)}));
    const rows = (listed.length > 0 ? listed : shown).filter((row) => row.name !== '');
    const count = countPeople();
    if (rows.length > 0) {
        tell({type: 'people', rows, listed: listed.length > 0,
              tiles: listed.length > 0 ? shown.filter((tile) => tile.number !== '') : [],
              complete: listed.length > 0 && count >= 0 && listed.length >= count});
    }
}

function tellDrawn() {
    if (CONFIG.video && !toldDrawn && allOf('drawn_video').length > 0) {
        toldDrawn = true;
        warn('video_not_tapped', 'the page draws the pictures itself: they can not be tapped');
    }
}

const VIEW_PATIENCE_MS = 3000;
const VIEW_AGAIN_MS = 15000;
const MAX_VIEW_WALKS = 3;
let markSeen = false;
let quietSinceMs = 0; // several people, and no mark; 0: not so
let nViewWalks = 0;

/* The client begins with its gallery, which may mark nobody who speaks. The speaker view does; only who
 * asked for the gallery keeps it. */
function leaveQuietGallery() {
    const now = performance.now();
    if (markSeen || CONFIG.gallery || allOf('tile').length < 2 || nViewWalks >= MAX_VIEW_WALKS) {
        quietSinceMs = 0;
    } else if (quietSinceMs === 0) {
        quietSinceMs = now;
    } else if (now - quietSinceMs > (nViewWalks > 0 ? VIEW_AGAIN_MS : VIEW_PATIENCE_MS)) {
        quietSinceMs = now;
        nViewWalks++;
        steno.walk_menu(['view_button', 'speaker_view']);
    }
}

let toldSpeaking = '[]';

setInterval(() => {
    const marks = allOf('speaking').map(({element}) => [numberOfTile(element), nameOfTile(element)])
        .filter(([, name]) => name !== '').map((mark) => mark.join('\n'));
    markSeen = markSeen || marks.length > 0;
    const json = JSON.stringify([...new Set(marks)]);
    if (json !== toldSpeaking) {
        toldSpeaking = json;
        tell({type: 'speaking', marks: JSON.parse(json)});
    }
}, SPEAKERS_MS);

setInterval(() => {
    if (inCall()) {
        openPanes();
        tellPeople();
        tellDrawn();
        readChat();
        leaveQuietGallery();
    }
}, LOOK_MS);
