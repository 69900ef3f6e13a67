"""Made passwords that a child can read from a card and type: two words and four digits, ``river-lamp-4821``.

About 31 bits; a test computes them and asks for 30. That is enough for a first password that is stored under
a pepper, guessed a hundred times at once and then twenty times an hour (core/limits.py), and changed at the
first sign-in by everyone above the lowest role.
"""

from __future__ import annotations

import hmac
import math
import secrets

# Our own list and not a package's: what is derived today must come out the same after an upgrade (a test
# holds its fingerprint), and whole classes have one look at every word. Left out: words that insult or
# describe a person (body, skin, age, mind, sex, origin); that frighten; of religion, politics, war, alcohol
# and drugs; animals used as insults or unclean to some; words that hold a rude one or are a letter from it;
# first names; words written in two ways (gray, harbor), heard as another (bear, hare, pear) or hard to spell
# (yacht, xylophone). 3 to 8 letters, a to z.
_BY_THEME = """
alpaca antelope badger barnacle bison bobcat buffalo capybara chipmunk condor cricket crane dinosaur
dolphin dove dragon eagle elk emu falcon ferret finch firefly flamingo fox gecko goldfish gopher hamster
hawk hedgehog heron honeybee ibex iguana impala jackdaw jaguar kestrel kitten kiwi koala lemur leopard
lion lizard magpie mayfly meerkat mongoose moth mouse mustang ocelot octopus okapi osprey ostrich otter
owl panda pelican penguin pigeon pony puffin puma quail rabbit rooster salmon sardine seagull seahorse
skylark sparrow squid starfish starling stork sunfish swan tiger toucan tuna turtle unicorn wallaby wolf
wombat yak zebra dormouse beetle

azure bronze cobalt copper crimson cyan denim diamond emerald golden granite green indigo lavender lilac
magenta marble maroon opal platinum purple quartz sandy silver topaz velvet linen wooden paper plastic
brick pebble ribbon button

acorn almond apple apricot bamboo barley bramble cactus carrot cedar chestnut cinnamon clover daffodil elm
fern forest garden juniper leaf lemon lettuce lime linden lotus mango maple marigold meadow mint moss
nutmeg oak onion orange orchard orchid parsley pepper petal potato pumpkin radish sage spruce tulip tomato
turnip walnut willow snowdrop cashew hazelnut caramel honey jelly lemonade noodle pancake pasta pizza
popcorn pretzel pudding salad sandwich soup sugar toast toffee waffle biscuit butter

arctic aurora autumn breeze canyon cloud coast comet drizzle earth eclipse equator field galaxy glacier
hill hillside horizon iceberg island lagoon lake meteor monsoon mountain oasis ocean orbit planet pond
rainbow river seaside season shore summer summit sunbeam sunrise sunset sunshine thunder twilight valley
volcano winter jupiter neptune saturn polar solar lunar

apron atlas backpack badge bakery balcony ballad balloon banjo basket beacon bench bicycle blanket booklet
bookcase bracelet bridge brush bubble bucket cabin cabinet camera candle canoe carpet castle cello ceramic
chair chalk chimney cinema circle circus clarinet clock concert corner crayon cube curtain cushion domino
easel engine flute folder fountain gadget gallery guitar hammer hammock harp igloo jacket jigsaw journal
kayak kettle keyboard kiosk kitchen kite ladder lamp lantern laptop locket magnet map market melody mirror
mitten mosaic motor museum napkin notebook palace parade parasol parcel pencil piano picnic picture pillow
pilot pixel platform pocket postcard poster prism puzzle pyramid quilt radio railway raincoat robot rocket
ruler saddle sailboat sandal satchel scarf school scooter shovel signal sketch slipper sofa spiral spoon
stadium station studio table teapot ticket timer towel tower tractor train triangle tunnel ukulele
umbrella village violin wagon wallet window workshop zigzag zipper

active agile amazing aquatic athletic awesome bold brave bright busy calm capable careful charming
cheerful clever curious dancing daring dazzling diligent dynamic eager elegant expert famous fast fearless
festive fluffy flying fresh friendly funny fuzzy generous gentle gleaming glossy graceful grateful
grinning happy helpful honest hopeful jolly jovial jumping keen kind lively logical loyal lucky luminous
magic magnetic mellow mighty mindful misty modern modest neat nifty nimble noble original outgoing pastel
peaceful playful poetic polite popular precise prompt quick radiant rapid relaxed reliable roaring robust
shiny singing smart smiling smooth sociable solid speedy spirited splendid steady striped stylish sunny
tactful talented thankful tidy trusty truthful unique upbeat useful valiant vivid warm watchful wise witty
zippy

action comedy courage courtesy energy harmony infinity justice kindness music novelty poetry progress
promise reading research respect reward riddle science story support sympathy theory unity upgrade wonder
"""
WORDS = tuple(_BY_THEME.split())

# Numbers that mean something else to those who know; a child's card is not the place for them.
_STOPPED_DIGITS = ("666", "69", "88", "420", "911", "187", "1312")
NUMBERS = tuple(
    number for number in map(str, range(1000, 10_000)) if not any(digits in number for digits in _STOPPED_DIGITS)
)

BITS = math.log2(len(WORDS) * (len(WORDS) - 1) * len(NUMBERS))


def random_password() -> str:
    return derived_password(secrets.token_bytes(32), b"")


def derived_password(key: bytes, message: bytes) -> str:
    """The same key and message always give the same password; without the key it is as good as random.

    256 bits choose among 2**31, so no password is likelier than another by more than one part in 2**225.
    """
    number = int.from_bytes(hmac.digest(key, message, "sha256"), "big")
    number, first = divmod(number, len(WORDS))
    number, second = divmod(number, len(WORDS) - 1)
    # Two different words: those from the first one on move up by one.
    return f"{WORDS[first]}-{WORDS[second + (second >= first)]}-{NUMBERS[number % len(NUMBERS)]}"
