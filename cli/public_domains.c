/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Top-level domains that are plausible as namespace names: those of countries, and the common ones
 * of the others. There are over a thousand and more every year; a namespace named like one that is
 * missing here gets no warning, which does no harm.
 */
#include "lint.h"

#include <string.h>

static const char countries[] =
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br "
    "bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do "
    "dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt "
    "gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp "
    "kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms "
    "mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr "
    "ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx "
    "sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn "
    "vu wf ws ye yt za zm zw ";

static const char *const others[] = {
    "academy",    "accountant",   "accountants", "aero",        "agency",    "airforce",
    "amsterdam",  "apartments",   "app",         "army",        "arpa",      "art",
    "asia",       "attorney",     "audio",       "auto",        "aws",       "baby",
    "bank",       "bar",          "bargains",    "beer",        "berlin",    "best",
    "bet",        "bible",        "bike",        "bio",         "biz",       "black",
    "blog",       "blue",         "boo",         "build",       "builders",  "business",
    "cab",        "cafe",         "cam",         "camera",      "camp",      "capital",
    "car",        "care",         "cars",        "casa",        "cash",      "casino",
    "cat",        "center",       "charity",     "chat",        "cheap",     "church",
    "city",       "cleaning",     "click",       "clinic",      "clothing",  "cloud",
    "club",       "codes",        "coffee",      "com",         "community", "company",
    "computer",   "construction", "consulting",  "contractors", "cool",      "coop",
    "coupons",    "credit",       "dad",         "date",        "dating",    "day",
    "deals",      "delivery",     "democrat",    "dental",      "dentist",   "design",
    "dev",        "diamonds",     "digital",     "direct",      "directory", "discount",
    "doctor",     "dog",          "domains",     "download",    "earth",     "eco",
    "edu",        "education",    "email",       "energy",      "engineer",  "engineering",
    "equipment",  "esq",          "estate",      "events",      "exchange",  "expert",
    "express",    "faith",        "family",      "fan",         "farm",      "fashion",
    "film",       "finance",      "financial",   "fish",        "fit",       "fitness",
    "flights",    "florist",      "flowers",     "foo",         "food",      "football",
    "forum",      "foundation",   "fun",         "fund",        "furniture", "gallery",
    "game",       "games",        "garden",      "gift",        "gifts",     "gives",
    "global",     "gmbh",         "gold",        "golf",        "google",    "gov",
    "graphics",   "green",        "group",       "guru",        "hair",      "hamburg",
    "health",     "here",         "holiday",     "homes",       "horse",     "hospital",
    "host",       "hosting",      "house",       "how",         "inc",       "industries",
    "info",       "ing",          "institute",   "insurance",   "int",       "international",
    "jewelry",    "jobs",         "kids",        "kitchen",     "land",      "law",
    "lawyer",     "lease",        "legal",       "lighting",    "limited",   "link",
    "live",       "llc",          "london",      "love",        "ltd",       "makeup",
    "management", "market",       "marketing",   "markets",     "media",     "meme",
    "menu",       "microsoft",    "mil",         "mobi",        "money",     "monster",
    "moscow",     "mov",          "movie",       "museum",      "music",     "name",
    "navy",       "net",          "network",     "new",         "news",      "nexus",
    "ngo",        "ninja",        "now",         "nyc",         "one",       "ong",
    "online",     "org",          "organic",     "page",        "paris",     "partners",
    "parts",      "party",        "pet",         "phd",         "photo",     "photography",
    "photos",     "pictures",     "pink",        "pizza",       "play",      "plumbing",
    "plus",       "poker",        "post",        "pro",         "prof",      "properties",
    "property",   "protection",   "pub",         "quest",       "radio",     "realty",
    "recipes",    "red",          "rent",        "rentals",     "repair",    "report",
    "republican", "restaurant",   "review",      "reviews",     "rocks",     "rsvp",
    "run",        "sale",         "salon",       "school",      "science",   "security",
    "services",   "shoes",        "shop",        "show",        "singles",   "site",
    "soccer",     "social",       "software",    "solar",       "solutions", "space",
    "sport",      "store",        "stream",      "studio",      "style",     "supplies",
    "supply",     "support",      "surgery",     "systems",     "tax",       "taxi",
    "team",       "tech",         "technology",  "tel",         "tennis",    "theater",
    "tickets",    "tips",         "tires",       "today",       "tokyo",     "tools",
    "top",        "tours",        "town",        "toys",        "trade",     "trading",
    "training",   "travel",       "university",  "vacations",   "vegas",     "ventures",
    "vet",        "video",        "vip",         "vodka",       "vote",      "voting",
    "voyage",     "watch",        "website",     "wedding",     "wien",      "wiki",
    "wine",       "work",         "works",       "world",       "wow",       "xyz",
    "zip",        "zone",         NULL,
};

bool lint_is_public_domain(const char *name)
{
    if (strlen(name) == 2) {
        const char padded[] = {name[0], name[1], ' ', '\0'};
        return strstr(countries, padded) != NULL;
    }
    return g_strv_contains(others, name);
}
