/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page as a picture, where what it shows can't be tapped: its videos are drawn, and what is
 * beside its stage (the purpose "capture_stage"; without one the whole page) becomes transparent.
 * Not invisible: the rules go on reading it.
 */
const ASIDE = 'data-steno-aside';
let stage = null;
const prepared = new WeakSet(); // documents

/* @element and what holds it, out of its frame (of this page's own origin) up to the window. */
function holdersOf(element) {
    const holders = [];
    while (element !== null) {
        holders.push(element);
        element = element.parentElement ||
            (element.ownerDocument.defaultView || {}).frameElement || null;
    }
    return holders;
}

function setAsides() {
    const kept = new Set(stage === null ? [] : holdersOf(stage));
    for (const body of bodies()) {
        for (const element of body.querySelectorAll('[' + ASIDE + ']')) {
            if (kept.has(element) || !kept.has(element.parentElement)) {
                element.removeAttribute(ASIDE);
            }
        }
    }
    for (const holder of kept) {
        const around = holder === stage || holder.tagName === 'HTML' ? [] : holder.children;
        for (const child of around) {
            if (!kept.has(child)) {
                child.setAttribute(ASIDE, '');
            }
        }
    }
}

/* What comes later beside the stage is set aside too, before it is drawn. */
function prepare(page) {
    if (prepared.has(page)) {
        return;
    }
    prepared.add(page);
    const asides = new page.defaultView.CSSStyleSheet();
    asides.replaceSync('[' + ASIDE + '] { opacity: 0 !important; }');
    page.adoptedStyleSheets = [...page.adoptedStyleSheets, asides];
    new MutationObserver((records) => {
        if (stage !== null && records.some((r) => r.target !== stage && r.target.contains(stage))) {
            setAsides();
        }
    }).observe(page.body, {childList: true, subtree: true});
}

/* Where @element stands in the window, as far as it lies in it. */
function placeOf(element) {
    let {left, top, right, bottom} = element.getBoundingClientRect();
    for (const frame of holdersOf(element).filter((e) => e.tagName === 'IFRAME' && e !== element)) {
        const outer = frame.getBoundingClientRect();
        const x = outer.left + frame.clientLeft, y = outer.top + frame.clientTop;
        [left, right] = [left + x, right + x].map((v) => Math.min(Math.max(v, outer.left), outer.right));
        [top, bottom] = [top + y, bottom + y].map((v) => Math.min(Math.max(v, outer.top), outer.bottom));
    }
    left = Math.max(left, 0);
    top = Math.max(top, 0);
    return {x: left, y: top, width: Math.min(right, innerWidth) - left,
            height: Math.min(bottom, innerHeight) - top};
}

/* What is to be photographed, in CSS pixels of the window; looked up again at each call. */
steno.capture = () => {
    steno.keepShown();
    const match = new Reading().first('capture_stage');
    stage = match === null ? null : match[1];
    const pages = new Set([document, ...(stage === null ? [] : [stage.ownerDocument])]);
    pages.forEach(prepare);
    setAsides();
    const place = stage !== null ? placeOf(stage)
        : {x: 0, y: 0, width: innerWidth, height: innerHeight};
    return {...place, rule: match === null ? null : match[0].id, windowWidth: innerWidth,
            windowHeight: innerHeight, frameHeight: outerHeight - innerHeight};
};
