/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * Who is in a Zoom meeting, as far as its page shows: names, read again and again. Two of one name
 * are two people. The list of people does not say which is which; a picture or a chat message has
 * the number that Zoom gave its person (decimal; the low 10 bits are of a stream of theirs). Where
 * no number tells namesakes apart, none of them is ever said to speak. No I/O, no clock. Its events
 * may drop the last reference to whoever owns it only if that owner outlives the call.
 */

typedef struct ZoomPeople ZoomPeople;

typedef struct {
    void (*on_participant)(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data);
    void (*on_source)(const PlatformSource *source, gpointer user_data);
} ZoomPeopleEvents;

/* One line of the list, or one tile. */
typedef struct {
    const char *name; /* borrowed; "" is passed over */
    bool is_host, is_self, muted;
    const char *number; /* borrowed, or NULL: Zoom's, where it shows beside the name */
} ZoomRow;

/* How much a reading says of those who are not in it. */
typedef enum {
    ZOOM_READ_TILES,    /* nothing of their state either: tiles have only names */
    ZOOM_READ_PART,     /* a part of a long list */
    ZOOM_READ_COMPLETE, /* they are not there */
} ZoomReading;

/** @own_name: where no line is marked as the bot's own, the one of this name is. */
ZoomPeople *zoom_people_new(const char *own_name, const ZoomPeopleEvents *events,
                            gpointer user_data);
/** The page took another one. */
void zoom_people_set_own_name(ZoomPeople *people, const char *own_name);
void zoom_people_free(ZoomPeople *people);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ZoomPeople, zoom_people_free)

/**
 * zoom_people_read:
 *
 * What the page shows at @now_ms. Who is missing from two complete readings in a row, or has not
 * been seen for a minute, has left. The k-th line of a name is the k-th person of that name; when
 * there are fewer lines than people, those stay whose number shows.
 */
void zoom_people_read(ZoomPeople *people, const ZoomRow *rows, size_t n_rows, ZoomReading reading,
                      int64_t now_ms);

/**
 * zoom_people_tie:
 *
 * @number shows beside @name, outside of a reading, or just before it: it is that of the first
 * person of that name who has none.
 */
void zoom_people_tie(ZoomPeople *people, const char *name, const char *number);

/**
 * zoom_people_voice:
 * @number: (nullable): that of the one who is marked, where it shows
 * @ret_source: (out): the source of their voice
 *
 * Borrowed: the id of the person of @number, or else of the one person of @name, who is here, is
 * not the bot and is not muted; NULL when there is none, or more than one.
 */
const char *zoom_people_voice(ZoomPeople *people, const char *name, const char *number,
                              uint32_t *ret_source);

/** Borrowed: the id of the person of @number (nullable), or else of the one person of @name, who is
 *  here; or NULL. */
const char *zoom_people_named(ZoomPeople *people, const char *name, const char *number);
