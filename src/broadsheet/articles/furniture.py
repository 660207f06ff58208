"""What surrounds an article and is no part of it: advertisements, promotions, counters, credits, related links.

Two levels, shared by pages and by pasted text: `prune` takes furniture elements out of a parsed page, and
`is_furniture` recognises a line (a whole paragraph, heading or list item) that is furniture by what it says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lxml.etree import _Element

__all__ = [
    "caption_of",
    "ends_article",
    "is_byline",
    "is_credit",
    "is_dateline",
    "is_furniture",
    "is_promotion",
    "is_sentence",
    "key_of",
    "link_share",
    "prune",
    "take_captions",
    "text_of",
    "without_repeats",
    "word_count",
]

# --- lines -------------------------------------------------------------------------------------------------------

_NETWORKS = (
    r"(?:facebook|twitter|x|whats ?app|linked ?in|e-?mail|mail|reddit|telegram|pinterest|flipboard|print|line|wechat|weibo|"
    r"tumblr|pocket|messenger|copy (?:the )?link|instagram|youtube|tik ?tok|threads|bluesky|mastodon|sms|rss)"
)

# Each alternative is matched against a whole line, in lower case, with spaces collapsed and quotes straightened.
_LINES = (
    # advertisements
    r"(?:article |story )?(?:continues? |continued )?(?:after|below)?(?: this| the)? ?advert(?:isement|isment|ising|s)?"
    r"(?: skip advertisement| - .{0,40}| continues? below)?",
    r"(?:skip (?:past )?advertisement|advertise(?: with us)?|ads? (?:by|from|feedback) .{0,40}|ads?|anzeige|werbung|publicité|publicidad|pubblicità|реклама|広告|广告)",
    r"(?:story|article) continues below.{0,30}|scroll (?:down )?to continue(?: .{0,40})?|scroll (?:down )?for more.{0,30}",
    r"(?:sponsored|promoted|paid|partner)(?: (?:by .{0,40}|content|post|stories|story|links?))?",
    # more to read
    r"(?:read|see|show|view|load|learn|find out|discover|explore|watch|hear|get)(?: (?:more|next|also|all|now|it here))(?: (?:about|from|on|in|at|here|stories|articles|comments|posts|news|like this).{0,60})?\s?[:>»…\.→]*",
    r"(?:related|recommended|suggested|similar|further|additional|latest|recent|trending|popular|top|featured|other|more)(?: (?:articles?|stories|story|posts?|topics?|content|coverage|links?|news|reading|videos?|products?|items?|reads?|headlines?|searches|tags|categories|for you|now|today|this week))+\s?[:>»]*",
    r"(?:related|recommended(?: for you| reading)?|trending(?: now)?|more (?:from|on|in|about) (?!.*[.!?]$).{1,60}|more|also read|read also|also in .{1,30}|see also)\s?[:>»]*",
    r"(?:you (?:may|might|'ll|will) (?:also )?(?:like|love|enjoy|be interested in).{0,40}|what to read next|up next|next up|keep reading|continue reading.{0,40}|don't miss.{0,30}|in case you missed it|editor'?s'? picks?|our picks|must[- ]reads?|most (?:read|popular|viewed|shared|recent|commented).{0,30}|from our partners|around the web|more to explore|explore more.{0,40})\s?[:>»]*",
    r"(?:next|previous|prev|newer|older)(?: (?:article|post|story|page|entry))?\s?[:>»←→]*|back to (?:top|blogs?|home|news|all .{1,20})|return to .{1,20}|all (?:articles|posts|news|stories)",
    r"(?:related(?: (?:articles?|stories|story|reading|posts?|content|coverage|links?|topics?))?|read(?: more| also| next)?|also read|see(?: also| more)|you (?:may|might) also (?:like|enjoy|be interested in)|"
    r"recommended(?: reading| for you)?|further reading|learn more|more on this(?: topic| story)?|don't miss|must read|editor's (?:pick|choice)|(?:next|previous) (?:article|post|story|page|entry)|up next|"
    r"watch(?: now| live| this)?|listen(?: now| here)?|lire aussi|à lire aussi|voir aussi|lea también|lee también|vea también|mehr dazu|lesen sie auch|siehe auch|leia também|veja também|leggi anche|lees ook|читайте также)"
    r"\s?[:：>»|] ?\S.{1,200}",
    # sharing and counters
    rf"(?:share|tweet|send|save|pin|post|forward|e-?mail|print|like|copy link|link copied!?|comments?|bookmark|gift)"
    rf"(?: (?:this|the|it|on|via|by|with|to|article|story|post|page|news|link|for later|friends|now|full|us|your|love|{_NETWORKS})[,:!]?)*",
    rf"{_NETWORKS}(?:[\s,|·/&]+(?:and )?{_NETWORKS})*",
    rf"(?:follow|find|join|like|connect with|subscribe to|add|watch) (?:us|me|.{{1,40}}) (?:also )?(?:on|via|at) (?:{_NETWORKS}|google(?: news)?|apple news|our social.{{0,20}})(?:,? (?:and |or )?{_NETWORKS})*(?: [@:].{{0,40}})?\.?",
    r"follow(?:ing| us| .{0,24})?",
    r"[\d.,]+ ?[km]?\+?(?: (?:shares?|likes?|views?|comments?|claps?|votes?|reactions?|followers|reads|replies|ratings?|reviews?))?",
    r"(?:shares?|likes?|views?|comments?|reactions?|claps?)[: (]*[\d.,]+ ?[km]?\)?",
    # lengths
    r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?: ?/ ?(?:\d{1,2}:)?\d{1,2}:\d{2})?|(?:play|watch|listen|video|audio|duration|now playing|live)[: (·•-]*(?:\d{1,2}:)?\d{1,2}:\d{2}\)?",
    r"(?:reading time:? ?)?(?:about |approx\. )?\d{1,3}[- ]?(?:min|mins|minute|minutes|sec|seconds|hours?)\.?(?: (?:read(?:ing)?(?: time)?|watch|listen|video|to read))?|reading time.{0,20}|estimated reading time.{0,30}",
    r"(?:listen|listen to (?:this )?(?:article|story|.{0,20})|play|pause|mute|unmute|play (?:the )?video|watch (?:the )?video|watch live|video|audio|live|gallery|view gallery|photos?|now playing|media error.{0,60}|loading\.*(?: .{0,30})?|your browser does not support .{0,60}|(?:please )?(?:enable|turn on) javascript.{0,80})",
    # newsletters, accounts
    r"(?:subscribe|sign ?up|sign ?in|log ?in|log ?out|register|join|subscribers?|newsletters?|our newsletters?|create (?:an |a free )?account|my account|donate|support us|become a (?:member|subscriber|supporter).{0,30}|subscribe (?:now|today|here|for .{1,40}|via .{1,20})|already (?:a subscriber|have an account|a member)\??.{0,20}|unlock this article.{0,40}|get unlimited access.{0,40}|try it (?:now|free)|start (?:your )?free trial|book a demo|get started|contact us|request a (?:demo|quote)|buy now|shop now|order now|download now|add to (?:cart|wishlist|favorites|bookmarks))[.!:>]*",
    r"(?:get|receive|be the first|never miss|sign up|subscribe|stay|join)(?=.{0,140}\b(?:inbox|newsletters?|e-?mail updates|mailing list|up[- ]to[- ]date|informed|notifications|push alerts|latest (?:news|posts|updates|stories))\b).{0,200}",
    r"get more (?:with|from|of) [\w ]{1,30}|(?:please )?enter (?:a valid |your )?(?:e-?mail|name).{0,30}|your (?:e-?mail|name).{0,30}|e-?mail(?: address)?\s?\*?|thank(?:s| you) for (?:subscribing|signing up|reading|your (?:interest|subscription)).{0,60}|(?:by )?(?:signing up|subscribing|clicking|submitting).{0,40}you agree.{0,160}|(?:this site is protected by recaptcha|unsubscribe at any time).{0,120}|we (?:won't|will never) (?:spam|share).{0,60}|no spam.{0,60}|check your inbox.{0,60}|would you like to receive.{0,60}",
    # comments
    r"(?:\d+ |no |all |view |show |hide |read |see |add |post |write |leave )?(?:a |an |your |the |all )?(?:\d+ )?(?:comments?|reply|replies|responses?|feedback)(?: \(\d+\)| \d+)?(?: (?:on .{0,80}|are closed.{0,20}|below|section|policy|off))?|(?:join|start) the (?:conversation|discussion).{0,40}|be the first to (?:comment|reply|review).{0,30}|cancel reply|comments? (?:are|is) (?:closed|moderated|welcome|disabled).{0,80}|all comments are .{0,40}|was this (?:article |page |post |content )?(?:helpful|useful).{0,30}|(?:did you )?(?:like|enjoy|find) this (?:article|story|post|content).{0,60}\?|rate this .{0,30}|report (?:this|an?) .{0,30}|have your say.{0,40}|what do you think\? (?:leave|let us|comment|share).{0,60}|let us know (?:what you think )?in the comments.{0,30}",
    # around the page
    r"(?:skip to .{1,30}|menu|search(?: .{0,20})?|home|close|open|toggle .{0,30}|expand|collapse|cancel|submit|ok|yes|no|accept(?: all)?(?: cookies)?|reject(?: all)?|manage (?:cookies|preferences)|cookie (?:policy|settings|notice)|privacy(?: policy| notice)?|terms(?: (?:of (?:use|service)|and conditions|& conditions))?|about(?: us)?|contact|site ?map|jump to (?:recipe|.{1,20})|table of contents|in this article|on this page|tags?|topics?|categories|category|filed under|labels?|image|photo|pin for later|navigation|download(?: the)? app|choose .{0,20}language|select language|advertiser disclosure)\s?[:>»]*",
    r"(?:tags?|topics?|filed under|posted in|categories|category|labels|keywords)\s?:\s?(?!.*[.!?]$).{1,160}",
    r"(?:©|\(c\) ?(?=\d|copy)|copyright\b).{0,160}|.{0,120}\ball rights reserved\b.{0,80}",
    r"(?:share|tell us|submit|send us) your (?:story|stories|thoughts|experience|tips?|photos)\b.{0,60}",
    r"(?:we|this site|our (?:site|website)|this website) uses? cookies.{0,300}|this (?:article|post) (?:is )?(?:contains|more than|may contain|includes).{0,20}(?:affiliate links?|years? old|months? old).{0,160}|as an amazon associate.{0,120}|.{0,160}\b(?:earn|receive|get)\b.{0,20}\b(?:affiliate )?commissions?\b.{0,120}",
    r"(?:this|the) (?:article|story|post|content|piece) is (?:exclusive to|only available to|reserved for|for) .{0,40}subscribers.{0,60}",
    r"(?:subscribe|sign up|log in|login|register|create an account) (?:to|for|or) .{0,40}(?:read|continue|access|get access|view|unlock|free|more).{0,60}",
    r"(?:[\w ]{0,30}disclosure|disclaimer)\s?[:-].{0,200}\b(?:affiliate|commissions?|qualifying purchases|sponsored)\b.{0,200}|.{1,60} (?:is|are) (?:supported|funded) by (?:commissions?|affiliates?|readers|its readers|our readers|our audience|you|donations?).{0,200}|"
    r"(?:this )?(?:story|article|post|journalism|reporting|newsletter|publication) is (?:funded|supported|made possible|powered) by .{1,160}",
    r"[·•*-]?\s?(?:(?:are )?not )?(?:fdic|bank)[- ]?(?:insured|guaranteed)|may lose value|(?:are )?not a (?:bank )?deposit|not insured by any .{0,60}",
    r"(?:learn more|find out more|read more|click|shop) here\.?",
    r"republish (?:our|this) (?:articles?|stor(?:y|ies)).{0,160}|this work is licensed under .{0,160}|(?:some|many|all) of the links (?:in|on) (?:this|our|the) .{0,160}|(?:also, )?this (?:article|post|page|blog) (?:contains|may contain|includes) (?:sponsored|affiliate|paid).{0,160}|for more information,? (?:visit|see|read) our .{0,60}(?:policy|page|disclosure|terms).{0,20}|was this newsletter forwarded to you\?.{0,120}|listen to this (?:article|story|post).{0,60}|request our free .{0,60}|(?:start )?(?:shopping|shop|buy) .{0,40}now",
    r"(?:want|like) to (?:use|republish|reuse) .{1,80}\?.{0,120}|(?:did|have) you (?:make|made|try|tried|cook|cooked|bake|baked) (?:this|one of|any of|it).{0,80}[?!].{0,160}",
    # the same in the languages that are read most
    r"(?:mehr zum thema|lesen sie (?:auch|mehr).{0,60}|das könnte sie auch interessieren.{0,20}|zum thema|teilen|kommentare?|newsletter|artikel teilen|zur startseite|lire (?:aussi|plus|la suite).{0,80}|à lire aussi.{0,80}|partager.{0,30}|sur le même (?:sujet|thème)|s'abonner|inscrivez-vous.{0,80}|commentaires?|lea también.{0,80}|leer más.{0,60}|te puede interesar.{0,60}|compartir.{0,30}|suscr[ií]b[ea]te.{0,80}|comentarios?|leia (?:também|mais).{0,80}|veja também.{0,80}|compartilhe.{0,30}|leggi anche.{0,80}|condividi.{0,30}|читайте также.{0,80}|поделиться.{0,30}|комментарии|関連記事|相关阅读|相關閱讀|相关新闻|分享到?|責任編輯.{0,20}|责任编辑.{0,20}|編輯.{0,10})\s?[:：]?",
)
_FURNITURE = re.compile("|".join(f"(?:{line})" for line in _LINES))
_LONGEST_FURNITURE = 320

# Headings after which what follows, up to the next full paragraph, leads elsewhere.
_ENDS = re.compile(
    r"(?:(?:related|recommended|suggested|similar|trending|popular|latest|recent|top|featured|further)"
    r"(?: (?:articles?|stories|story|posts?|topics?|content|coverage|links?|news|reading|videos?|products?|headlines?|for you|now))*"
    r"|more (?:from|on|in) (?!.*[.!?]$).{1,40}|more (?:stories|news|articles|videos|like this|to read|headlines|coverage)|read (?:more|next|also).{0,12}|also (?:read|in the news|on .{1,20}).{0,12}"
    r"|you (?:may|might) (?:also )?(?:like|be interested in).{0,20}|what to read next|up next|editor'?s'? picks?|must[- ]reads?"
    r"|most (?:read|popular|viewed|shared|recent).{0,20}|around the web|from our partners|don't miss|in case you missed it"
    r"|\d* ?comments?|leave a (?:comment|reply)|about the authors?|about (?:us|the company|the publisher)|our services|related|see also"
    r"|mehr zum thema|das könnte sie auch interessieren.{0,20}|sur le même (?:sujet|thème)|à lire aussi|te puede interesar"
    r"|関連記事|相关阅读|相關閱讀|相关新闻|читайте также)\s?[:：>»]*"
)

_AGENCY = (
    r"(?:(?:getty(?: images)?|afp|ap|a\.p\.|associated press|reuters|epa(?:-efe)?|efe|xinhua|kyodo|bloomberg|shutterstock|"
    r"alamy(?: stock photo)?|pa(?: wire| images| media)?|dpa|ansa|anadolu(?: agency)?|zuma(?: press)?|istock(?:photo)?|"
    r"unsplash|pexels|handout|file(?: photo)?|nurphoto|sipa(?: usa)?|rex(?: features)?|imago|tass|yonhap|ians|pti|"
    r"nasa|upi|cnn|nyt|the new york times|the washington post|the guardian|bbc|supplied|courtesy.{0,40}|pool|stringer|"
    r"picture alliance|ap photo|usa today(?: sports| network)?|abc news?|cp|the canadian press|aap(?: image)?)"
    r"(?: via (?:getty images|ap|reuters|afp|zuma|cnn|.{1,20}))?)"
)
_CREDIT_WORD = (
    r"(?:photo(?:graph|s|graphs)?(?: ?credits?)?|image(?:s)?(?: ?(?:source|credits?))?|picture(?:s)?(?: ?credits?)?|illustration|"
    r"graphic|video|credits?|file photo|file pic|foto|bild|crédit(?: photo)?|fotos|source)"
)
# A credit at the end of a line makes the line a caption: "... on Monday. Photo: AFP".
_CREDIT_END = re.compile(
    rf"(?:^|[\s.!?\"'”’)\]|])[(\[]?\s?(?:"
    rf"(?:photo(?:graph|s|graphs)?(?: credit)?|images?(?: credit)?|pictures?|illustration|graphic|credit|file photo|foto|bild)s?"
    rf"(?: (?:by|via|courtesy(?: of)?))?\s?[:|/]\s?.{{1,80}}"
    rf"|credit\s?(?:\.{{2,3}}|…)\s?.{{1,80}}"
    rf"|(?:ap|reuters|afp|getty|epa|file|handout) (?:photo|images?|file)\s?[/:].{{1,60}}"
    rf"|(?:photo|image|picture|illustration|photograph)s? (?:by|courtesy(?: of)?|via) .{{1,60}}"
    rf"|reuters/.{{1,40}}"
    rf"|(?:[\w.'’-]+ ){{0,4}}[\w.'’-]+\s?/\s?{_AGENCY}(?:\s?/\s?.{{1,30}})?"
    rf"|\({_AGENCY}\)|\[{_AGENCY}\]"
    rf")[)\]]?\.?$",
    re.IGNORECASE,
)
_CREDIT_ONLY = re.compile(
    rf"[(\[]?(?:{_CREDIT_WORD}\s?[,:|/.…-]+\s?.{{1,80}}|{_AGENCY}|(?:[\w.'’-]+ ){{0,2}}[\w.'’-]+\s?/\s?{_AGENCY}(?:\s?/\s?.{{1,30}})?|"
    rf"(?:photo|image|picture)s? (?:by|courtesy(?: of)?|via) .{{1,60}})[)\]]?\.?",
    re.IGNORECASE,
)
_CAPTION_START = re.compile(r"(?:image|photo|picture|video|media) ?caption\s?[,:]\s?|caption\s?:\s?", re.IGNORECASE)

_BIOGRAPHY = re.compile(
    r"(?:[A-Z][\w.'’-]+ ){1,4}(?:is|was|has been|covers|writes|reports|joined)\b.{0,80}\b"
    r"(?:reporter|correspondent|editor|writer|journalist|columnist|contributor|producer|freelance|newsroom|author of|bureau chief)\b"
)
_PROMOTION = re.compile(
    r"(?:sign up|subscribe|click here|follow us|download (?:the|our)|join (?:us|our|the)|get (?:the|our|all the|your|more)|"
    r"for more (?:news|stories|on|information)|read more|visit our|listen to (?:our|the)|watch (?:our|the)|check out|don't miss|like us|support (?:our|us|independent)|donate|"
    r"this (?:article|story|report|piece) (?:was|is|has been|first|originally)|(?:a )?version of this (?:article|story)|"
    r"(?:the )?(?:associated press|reuters|ap|afp|cnn's?|bloomberg).{0,60}contributed|additional reporting|reporting by|editing by|with (?:files|reporting) from|"
    r"(?:if you|have you|do you) .{0,80}(?:e-?mail|contact|tips?|comments?|call)\b|"
    r"(?:want to|would you like to) .{0,60}(?:newsletter|inbox|subscribe)|write to .{0,40}@)",
    re.IGNORECASE,
)
# In a last line: words that only somebody who asks for something says.
_ASKING = re.compile(
    r"\b(?:(?:please )?consider (?:supporting|donating|subscribing|liking|sharing|becoming)|if you (?:liked|enjoyed) (?:this|the|our|my)|support us by|"
    r"(?:our|my|the) (?:free )?(?:weekly |daily |monthly )?newsletter|(?<![a-z] )subscribe (?:to|now|today|here)|follow (?:us|me) on|buy me a coffee|patreon|ko-fi|in the comments(?: below)?|leave a comment|share (?:this|it) with (?:a|your) friends?|tell your friends)\b",
    re.IGNORECASE,
)

_TERMINAL = re.compile(r"[.!?…。！？｡؟۔।:;]['\"”’»›)\]】」』）〉》*]*(?:\s?\[\d+\])*$")
_CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")
_BESIDES = re.compile(r"[\W_]+")
_WORD = re.compile(r"\w[\w'’-]*")
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "–": "-", "—": "-"})


def key_of(line: str) -> str:
    """What two lines that read the same have in common: letters and digits only, in lower case."""
    return _BESIDES.sub("", line if line.isascii() else unicodedata.normalize("NFKC", line)).lower()


def word_count(text: str) -> int:
    """How many words; two characters count as one where a script has no spaces."""
    dense = len(_CJK.findall(text))
    return len(_WORD.findall(text)) if not dense else len(_WORD.findall(_CJK.sub(" ", text))) + (dense + 1) // 2


def is_sentence(line: str) -> bool:
    """Does the line end as a sentence does?"""
    return _TERMINAL.search(line) is not None


def is_furniture(line: str) -> bool:
    """Is this whole line something that stands around articles, whatever the article?"""
    if len(line) > _LONGEST_FURNITURE:
        return False
    plain = " ".join(line.lower().translate(_STRAIGHT).split()).strip("|·•*-–—_ >»<«→←+#\"'[]")
    return not plain or _FURNITURE.fullmatch(plain) is not None


def ends_article(line: str) -> bool:
    """Is this a heading after which the page leads elsewhere ("Related stories", "Most read")?"""
    return len(line) < 60 and _ENDS.fullmatch(" ".join(line.lower().translate(_STRAIGHT).split())) is not None


def is_promotion(line: str) -> bool:
    """Does the line ask something of the reader, or tell of the author or of the article itself? Only at its end."""
    plain = line.translate(_STRAIGHT)
    if len(line) >= 400:
        return False
    return (
        _PROMOTION.match(plain.strip("*_ ")) is not None
        or _BIOGRAPHY.match(plain) is not None
        or _ASKING.search(plain) is not None
    )


_BYLINE = re.compile(
    r"(?:(?:article|post|story|text|words?|this (?:article|post|story) was) )?(?:(?:written|posted|published|reported|reviewed|edited|updated|medically reviewed|fact[- ]checked|last updated) )?(?:by|on|at)\s?:?"
    r"|(?:by|written by|posted by|published by|reviewed by|edited by|medically reviewed by|fact[- ]checked by|von|par|por) \S+(?: \S+){0,5}|(?:last )?(?:updated|published|posted|modified|reviewed)(?: on| at)?:?|authors?:?",
    re.IGNORECASE,
)
_READING = re.compile(r"[\W_]*(?:\d{1,3}[- ]?min(?:ute)?s?(?: read(?:ing)?)?|reading time.*)[\W_]*$", re.IGNORECASE)
_DAYS = re.compile(
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? )?"
    r"(?:[^\W\d_]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d|\d{1,2}(?:st|nd|rd|th|\.)? (?:de )?[^\W\d_]{3,10}\.?,? (?:de )?(?:19|20)\d\d|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2})"
    r"(?:,? (?:at )?\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?(?: \(?[A-Z]{2,4}\)?)?)?",
    re.IGNORECASE,
)
_UPDATED = re.compile(r"(?:[\W_]|\b(?:last|first|originally|updated?|published|posted|modified|reviewed|created|date|on|at|and|by|am|pm|[a-z]{2,3}t)\b)*", re.IGNORECASE)  # fmt: skip


def is_dateline(line: str) -> bool:
    """Is the whole line a day, or days, with what they are called and how long the reading takes?"""
    if len(line) > 90:
        return False
    rest, found = _DAYS.subn(" ", _READING.sub("", " ".join(line.split())))
    return found > 0 and _UPDATED.fullmatch(rest) is not None


def is_byline(line: str, authors: Sequence[str] = ()) -> bool:
    """Does the whole line say who wrote the article, or lead up to that?"""
    if len(line) > 90:
        return False
    plain = _READING.sub("", " ".join(line.split())).strip(" |·•*-–—_")
    if _BYLINE.fullmatch(plain) is not None:
        return not is_sentence(plain) or plain.endswith(":")
    return key_of(plain) in {key_of(author) for author in authors}


def is_credit(line: str) -> bool:
    """Is the whole line the credit of a picture?"""
    return len(line) < 120 and _CREDIT_ONLY.fullmatch(line.strip()) is not None


def caption_of(line: str) -> str | None:
    """The caption that the line is, its lead-in ("Image caption,") taken off; None where it is none."""
    if start := _CAPTION_START.match(line):
        return line[start.end() :].strip()
    return line if word_count(line) < 90 and _CREDIT_END.search(line) and not is_credit(line) else None


def without_repeats(lines: Sequence[str]) -> list[str]:
    """The lines, each once: a line of at least four words that reads the same as an earlier one is left out."""
    seen: set[str] = set()
    kept = []
    for line in lines:
        key = key_of(line)
        if key in seen and word_count(line) > 3:
            continue
        seen.add(key)
        kept.append(line)
    return kept


# --- elements ----------------------------------------------------------------------------------------------------

_NEVER = frozenset({"html", "body", "main", "article", "head", "h1", "p"})
_ALWAYS = frozenset({"nav", "form", "button", "select", "input", "textarea", "dialog", "iframe", "noscript", "style", "svg", "canvas", "template", "object", "embed"})  # fmt: skip
_NAME = re.compile(
    r"(?:^|[-_])(?:"
    r"ads?|advert\w*|adslot\w*|adunit|adbox|dfp\w*|outbrain|taboola|sponsor(?:ed)?|promo|promos|promoted|promobox|"
    r"newsletters?|newslettersignup|signup|subscribe\w*|mailchimp|mc4wp\w*|optin|"
    r"share|shares|sharebar|sharing|sharedaddy|sharethis|social|socials|socialshare|addtoany\w*|addthis\w*|a2a|"
    r"related|relatedposts?|yarpp\w*|recommended|recommendations?|readmore|readnext|read-next|also-like|also-read|see-also|"
    r"most-read|most-popular|trending|popular-posts?|more-stories|more-news|more-from|moreon|latest-news|recirc\w*|"
    r"comments?|disqus\w*|respond|commentlist|"
    r"breadcrumbs?|pagination|pager|post-navigation|nav-links|"
    r"cookies?|cookiebar|consent\w*|gdpr|popup|modal|lightbox|overlay|"
    r"author-bio|author-box|authorbox|author-info|author-card|about-author|"
    r"cta|call-to-action|banner|skip-link|screen-reader-text|visually-hidden|sr-only|hidden-print|"
    r"print-only|site-footer|site-header|masthead|sidebar|widget-area"
    r")(?:$|[-_])",
    re.IGNORECASE,
)
# These name what is furniture only where it is mostly links.
_LINKS_NAME = re.compile(
    r"(?:^|[-_])(?:toc|ez-toc\w*|table-of-contents|tableofcontents|tagcloud|tags|tag-list|taglist|menu|links|categories|archive)(?:$|[-_])",
    re.IGNORECASE,
)
# A class with one of these says how a page is laid out, or that this is the article: "sidebar-enabled", "no-toc".
_LAYOUT = re.compile(
    r"(?:^|[-_])(?:has|with|no|not|without|enabled?|disabled?|false|true|main|content|body|layout|page|para|paragraph|text|wysiwyg|prose)(?:$|[-_])",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"(?:^|[-_\s])(?:article|post|entry|story)[-_]*(?:body|content|text|paragraphs?)(?:$|[-_\s])|rich-?text|articlebody",
    re.IGNORECASE,
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CAPTION_NAME = re.compile(r"(?:^|[-_\s])(?:caption|wp-caption-text|figcaption|photo-?(?:credit|caption)|image-?(?:credit|caption)|credit|media__?caption)(?:$|[-_\s])", re.IGNORECASE)  # fmt: skip


def text_of(element: _Element) -> str:
    """The text inside, spaces collapsed."""
    return " ".join("".join(element.itertext()).split())


def _drop(element: _Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if tail := element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(element)


def _prose(element: _Element) -> int:
    """How many characters of paragraphs are inside: what would be lost with it."""
    return sum(len(text) for p in element.iter("p") for text in p.itertext())


def take_captions(tree: _Element) -> tuple[str, ...]:
    """Take the captions of figures out of the tree and give them, in order."""
    captions: list[str] = []
    for element in list(tree.iter("figcaption", "p", "div", "span")):
        if element.tag != "figcaption":
            name = element.get("class") or ""
            if not name or not _CAPTION_NAME.search(name) or len(text_of(element)) > 400:
                continue
        if (text := text_of(element)) and text not in captions:
            captions.append(text)
        _drop(element)
    return tuple(captions)


def _is_named_furniture(element: _Element) -> bool:
    """Does the element's class or id say that it is furniture?"""
    classes = element.get("class") or ""
    names = [*classes.split(), *(element.get("id") or "").split()]
    if not names or _BODY.search(classes):
        return False
    names = [name for name in names if not _LAYOUT.search(name)]
    if any(_NAME.search(name) for name in names):
        return True
    return any(_LINKS_NAME.search(name) for name in names) and link_share(element) > 0.5


def link_share(element: _Element) -> float:
    """Which part of the text inside is that of links."""
    linked = sum(len(text) for link in element.iter("a") for text in link.itertext())
    return linked / (sum(len(text) for text in element.itertext()) or 1)


def prune(tree: _Element) -> None:
    """Take furniture out of the tree, never an element that holds a good part of its prose."""
    total = _prose(tree)
    for element in list(tree.iter()):
        tag = element.tag
        if not isinstance(tag, str) or tag in _NEVER or tag in _HEADINGS:
            continue
        # 0.2: themes put "has-sidebar" or "share-enabled" on the element that holds the whole article
        if (tag in _ALWAYS or _is_named_furniture(element)) and _prose(element) <= 0.2 * total:
            _drop(element)
