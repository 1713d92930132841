"""The vocabulary of the practice site: tables only. All names are made up."""

# ruff: noqa: RUF001 - typographic quotes and accents belong here: real pages are not ASCII

PLACES = (
    "Aldermoor", "Brackwater", "Castle Thorne", "Dunsley", "Eastwick Bay", "Fennholm", "Grünau", "Harrow Fell",
    "Kilbrae", "Lindqvist Harbour", "Merrow", "Nørby", "Oakhampton", "Penmarrow", "Saint-Élie", "Tarnworth",
)  # fmt: skip
FIRST_NAMES = (
    "Amara", "Bea", "Chloé", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kwame", "Linnéa", "Mei",
    "Niamh", "Omar", "Priya", "Rosa", "Søren", "Tomasz", "Yuki", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Brandt", "Castellano", "Dahl", "Egan", "Ferreira", "Grant", "Holloway", "Ivanova", "Jansen", "Kaya",
    "Lindqvist", "Moreau", "Nakamura", "O’Hara", "Patel", "Quist", "Reyes", "Strand", "Thorne", "Whitlock",
)  # fmt: skip

CATEGORIES = {
    "Kitchen": ("kettle", "frying pan", "bread bin", "carafe", "mixing bowl", "chopping board", "pepper mill"),
    "Garden": ("watering can", "hand trowel", "plant stand", "bird feeder", "pruning saw", "folding chair"),
    "Lighting": ("desk lamp", "lantern", "pendant light", "reading light", "candle holder", "wall lamp"),
    "Travel": ("rucksack", "weekend bag", "wash bag", "travel mug", "luggage tag", "rain cape"),
    "Desk": ("notebook", "pen tray", "bookend", "letter opener", "wall calendar", "pencil case"),
}
BRANDS = ("Hale & Sons", "Nordlys", "Brightwater", "Atelier Juin", "Foxglove", "Kettle Row", "Tindra", "Marlow & Pike")
STYLES = ("Classic", "Compact", "Everyday", "Heritage", "Slim", "Sturdy", "Weekend", "Winter")
MATERIALS = ("oak", "enamel", "brushed steel", "stoneware", "waxed cotton", "copper", "recycled glass", "wool felt")
COLOURS = ("chalk white", "slate", "moss green", "rust", "midnight blue", "mustard", "natural")
PRODUCT_LINES = (
    "A {style} {noun} in {material}, made in small batches in {place}.",
    "The {colour} finish is applied by hand, so no two are quite the same.",
    "It weighs {weight} g and fits a shelf {width} cm wide.",
    "Our {place} workshop has made this {noun} since {year}.",
    "Wipe it with a damp cloth; the {material} darkens a little with the years.",
    "Every part can be replaced, and we keep spares for at least {spares} years.",
    "It arrives in a plain box without plastic, with a card on how to care for {material}.",
)

REVIEWS = {
    5: ("Better than I had hoped.", "The best thing I bought this year.", "Bought a second one for my sister."),
    4: ("Very good, with one small scratch on arrival.", "Solid and well made.", "Does what it says, looks lovely."),
    3: ("Fine for the price.", "Good, but smaller than it looks.", "It is all right; the colour is duller than shown."),
    2: ("The finish came off within a month.", "Heavier than described.", "Not what I expected from this maker."),
    1: ("Arrived broken and took weeks to replace.", "It wobbles.", "I sent it back."),
}
REVIEW_LINES = (
    "We use it nearly every day and it has kept its looks.",
    "Delivery took {days} days, in a plain box.",
    "I compared it with {count} others before I chose this one.",
    "Our cat knocked it off the table in {place}, and it survived.",
    "The customer service person, {person}, answered within the hour.",
    "After {months} months there is hardly a mark on it.",
    "I would have liked it in another colour.",
)

DESKS = {
    "Local": ("the new tram line", "the market hall repair", "the riverside path", "the night bus", "the old pier"),
    "Business": ("the shipyard’s first order", "the merger of two mills", "the wage agreement", "the tourist levy"),
    "Science": ("the tidal survey", "the seagrass trial", "the bat count", "the new telescope", "the peat study"),
    "Sport": ("the county final", "the new rowing club", "the winter league", "the coast marathon"),
    "Culture": ("the film festival", "the museum’s new wing", "the folk archive", "the opera on the quay"),
}
HEADLINES = (
    "{place} to decide on {topic}",
    "What {topic} means for {place}",
    "How {topic} could {effect}",
    "{place} waits for news of {topic}",
    "Doubts grow in {place} over {topic}",
    "Why {person} has changed sides on {topic}",
)
SUBJECTS = ("the plan", "the project", "the proposal", "the decision", "the whole idea", "the scheme")
EFFECTS = (
    "bring visitors back", "cost less than feared", "take until the spring", "divide old neighbours",
    "change the way people travel", "pay for itself within ten years", "set an example for the whole coast",
    "need another round of talks",
)  # fmt: skip
TIMES = ("next month", "before the summer", "by the end of the year", "within a few weeks", "in the autumn")
PAST_TIMES = ("last week", "on Tuesday", "in March", "two years ago", "over the winter")
QUOTES = (
    "We have talked about this for long enough", "Nobody should expect a miracle", "The numbers speak for themselves",
    "I have changed my mind twice, and I may do so again", "It is a start, and a start is what was missing",
)  # fmt: skip
LEAD = "{place} has heard a great deal about {topic}; {past}, {person} put figures to it for the first time."
NEWS_LINES = (
    "People close to the talks say that {subject} could {effect} {when}.",
    "{person} told a meeting in {place} that {subject} would {effect}.",
    "A report published {past} counted {count} objections, most of them from {place}.",
    "“{quote},” {person} said.",
    "About {percent} per cent of those asked in {place} were in favour.",
    "The costs were put at £{amount} million {past}; they are expected to rise by {percent} per cent.",
    "{person}, who has followed {subject} for {count} months, called the figures encouraging.",
    "Supporters hope that it will {effect} {when}, though few would bet on it.",
    "Similar plans in {place} were dropped {past} after {count} letters of protest.",
    "“{quote},” said {person}, who runs a bakery in {place}.",
    "Both sides will meet again {when}.",
    "Whether {subject} will really {effect} is another question.",
)
