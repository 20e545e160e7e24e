//! Texts into words: one way for each language that stems are known of, and one that compares words as they are spelled.

use portolan_protocol::folding::{fold, without_article};
use tantivy::tokenizer::{
    Language as StemLanguage, Stemmer, StopWordFilter, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer,
};
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Characters of a word that count; what differs only behind them is taken for the same.
const WORD_CHARS_MAX: usize = 64;

/// Arabic words that say nothing alone, in their folded spelling: prepositions, pronouns, conjunctions and the like.
const ARABIC_STOP_WORDS: [&str; 76] = [
    "من",
    "في",
    "علي",
    "الي",
    "عن",
    "مع",
    "هذا",
    "هذه",
    "ذلك",
    "تلك",
    "هولاء",
    "اوليك",
    "التي",
    "الذي",
    "الذين",
    "اللذين",
    "اللواتي",
    "ما",
    "ماذا",
    "هل",
    "لم",
    "لن",
    "لا",
    "ليس",
    "ليست",
    "ان",
    "انه",
    "انها",
    "اذا",
    "اذ",
    "او",
    "ام",
    "ثم",
    "بل",
    "لكن",
    "لكنه",
    "حتي",
    "منذ",
    "كان",
    "كانت",
    "يكون",
    "تكون",
    "هو",
    "هي",
    "هم",
    "هن",
    "نحن",
    "انا",
    "انت",
    "كل",
    "بعض",
    "غير",
    "بين",
    "عند",
    "عندما",
    "قد",
    "لقد",
    "كما",
    "كيف",
    "اين",
    "متي",
    "فيه",
    "فيها",
    "منه",
    "منها",
    "به",
    "بها",
    "له",
    "لها",
    "لهم",
    "وهو",
    "وهي",
    "ايضا",
    "الا",
    "اي",
    "و",
];

/// A language that stems are known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `ar`.
    Arabic,
    /// `en`.
    English,
    /// `es`.
    Spanish,
    /// `fr`.
    French,
    /// `pt`.
    Portuguese,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 5] =
        [Language::Arabic, Language::English, Language::Spanish, Language::French, Language::Portuguese];

    /// The language of a tag, whatever country or script it names as well.
    pub fn of(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Language::ALL.into_iter().find(|language| language.tag() == primary)
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::Arabic => "ar",
            Language::English => "en",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::Portuguese => "pt",
        }
    }

    fn stems(self) -> StemLanguage {
        match self {
            Language::Arabic => StemLanguage::Arabic,
            Language::English => StemLanguage::English,
            Language::Spanish => StemLanguage::Spanish,
            Language::French => StemLanguage::French,
            Language::Portuguese => StemLanguage::Portuguese,
        }
    }
}

/// How words are compared: by their stems in a language, or as they are spelled.
pub(super) type Form = Option<Language>;

/// All forms: a field of the index stands for each.
pub(super) const FORMS: [Form; 6] = [
    None,
    Some(Language::Arabic),
    Some(Language::English),
    Some(Language::Spanish),
    Some(Language::French),
    Some(Language::Portuguese),
];

/// The place of a form in [`FORMS`].
pub(super) fn place(form: Form) -> usize {
    form.map_or(0, |language| language as usize + 1)
}

/// What the index calls the form.
pub(super) fn name(form: Form) -> &'static str {
    form.map_or("exact", Language::tag)
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is compared.
    pub(super) text: String,
    /// Which of the words of the text it is, those left out counted.
    pub(super) position: usize,
    /// Where it stands, in bytes.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A way from texts to words for each form.
#[derive(Clone)]
pub(super) struct Analysers(Vec<TextAnalyzer>);

impl Analysers {
    pub(super) fn new() -> Analysers {
        Analysers(FORMS.into_iter().map(analyser).collect())
    }

    /// The one for the index.
    pub(super) fn of(&self, form: Form) -> TextAnalyzer {
        self.0.get(place(form)).cloned().unwrap_or_default()
    }

    /// The words of `text`, those left out that say nothing in the language.
    pub(super) fn words(&mut self, form: Form, text: &str) -> Vec<Word> {
        let mut words = Vec::new();
        if let Some(analyser) = self.0.get_mut(place(form)) {
            analyser.token_stream(text).process(&mut |token| {
                let (from, to) = (token.offset_from, token.offset_to);
                words.push(Word { text: token.text.clone(), position: token.position, from, to });
            });
        }
        words
    }
}

fn analyser(form: Form) -> TextAnalyzer {
    let Some(language) = form else { return TextAnalyzer::from(Words { spelling: Spelling::Folded }) };
    let stemmer = Stemmer::new(language.stems());
    match language {
        Language::Arabic => {
            let stop = StopWordFilter::remove(ARABIC_STOP_WORDS.map(str::to_owned));
            TextAnalyzer::builder(Words { spelling: Spelling::Bare }).filter(stop).filter(stemmer).build()
        }
        _ => {
            let stop = StopWordFilter::new(language.stems()).unwrap_or_else(|| StopWordFilter::remove([]));
            // Stems are found by their accents, and compared without.
            TextAnalyzer::builder(Words { spelling: Spelling::Lower }).filter(stop).filter(stemmer).filter(Fold).build()
        }
    }
}

/// How words leave the tokenizer.
#[derive(Clone, Copy)]
enum Spelling {
    /// Composed, in lower case.
    Lower,
    /// See [`fold`].
    Folded,
    /// Folded, without the Arabic article and what stands before it: the stemmer takes other endings off where it is there.
    Bare,
}

/// A folded word without its article, unless it says nothing alone and is looked for as such.
fn bare(word: String) -> String {
    if ARABIC_STOP_WORDS.contains(&word.as_str()) { word } else { without_article(&word).to_owned() }
}

/// Words as Unicode divides texts into them (UAX 29), and further at apostrophes and the like. Each ideograph is a word.
#[derive(Clone)]
struct Words {
    spelling: Spelling,
}

struct WordStream<'a> {
    text: &'a str,
    spelling: Spelling,
    places: std::vec::IntoIter<(usize, usize)>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        let mut places = Vec::new();
        for (start, word) in text.unicode_word_indices() {
            let mut from = start;
            for part in word.split(divides) {
                if !part.is_empty() {
                    places.push((from, from + part.len()));
                }
                let rest = start + word.len() - (from + part.len());
                from += part.len() + word[word.len() - rest..].chars().next().map_or(0, char::len_utf8);
            }
        }
        WordStream { text, spelling: self.spelling, places: places.into_iter(), token: Token::default() }
    }
}

/// What stands inside of words without being part of one.
fn divides(letter: char) -> bool {
    matches!(letter, '\'' | '’' | 'ʼ' | '.' | ':' | '·' | '_' | '״' | '׳')
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((from, to)) = self.places.next() else { return false };
        let word = self.text.get(from..to).unwrap_or_default();
        let word = word.char_indices().nth(WORD_CHARS_MAX).map_or(word, |(end, _)| &word[..end]);
        self.token.text = match self.spelling {
            Spelling::Lower if word.is_ascii() => word.to_ascii_lowercase(),
            Spelling::Lower => word.nfc().flat_map(char::to_lowercase).collect(),
            Spelling::Folded => fold(word),
            Spelling::Bare => bare(fold(word)),
        };
        (self.token.offset_from, self.token.offset_to) = (from, to);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Folds what comes out of the stemmer.
#[derive(Clone)]
struct Fold;

#[derive(Clone)]
struct FoldTokenizer<T>(T);

struct FoldStream<T>(T);

impl TokenFilter for Fold {
    type Tokenizer<T: Tokenizer> = FoldTokenizer<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> FoldTokenizer<T> {
        FoldTokenizer(tokenizer)
    }
}

impl<T: Tokenizer> Tokenizer for FoldTokenizer<T> {
    type TokenStream<'a> = FoldStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        FoldStream(self.0.token_stream(text))
    }
}

impl<T: TokenStream> TokenStream for FoldStream<T> {
    fn advance(&mut self) -> bool {
        let goes_on = self.0.advance();
        if goes_on && !self.0.token().text.is_ascii() {
            let folded = fold(&self.0.token().text);
            self.0.token_mut().text = folded;
        }
        goes_on
    }

    fn token(&self) -> &Token {
        self.0.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.0.token_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(form: Form, text: &str) -> Vec<String> {
        Analysers::new().words(form, text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_found_where_they_stand() {
        let text = "L’école du port, 港口!";
        let found = Analysers::new().words(None, text);
        let shown: Vec<_> = found.iter().map(|word| (&text[word.from..word.to], word.position)).collect();
        assert_eq!(shown, [("L", 0), ("école", 1), ("du", 2), ("port", 3), ("港", 4), ("口", 5)]);
        assert_eq!(words(None, "a.b..c_d’ ’e"), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn each_language_has_its_stems() {
        let same = |language, one: &str, other: &str| {
            assert_eq!(words(Some(language), one), words(Some(language), other), "{one} {other}");
            assert_ne!(words(None, one), words(None, other));
        };
        same(Language::English, "harbours", "harbour");
        same(Language::French, "formations", "formation");
        same(Language::Spanish, "puertos", "puerto");
        same(Language::Portuguese, "portos", "porto");
        same(Language::Arabic, "المعلومات", "معلومات");
    }

    #[test]
    fn words_that_say_nothing_are_left_out_and_keep_their_places() {
        let found = Analysers::new().words(Some(Language::French), "mise en œuvre");
        assert_eq!(found.iter().map(|word| word.position).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(words(Some(Language::Arabic), "على الحدود"), words(Some(Language::Arabic), "الحدود"));
        for word in ARABIC_STOP_WORDS {
            assert_eq!(fold(word), word, "stop words are compared folded");
        }
    }

    #[test]
    fn a_tag_may_name_more_than_the_language() {
        assert_eq!(Language::of("pt-BR"), Some(Language::Portuguese));
        assert_eq!([Language::of("ptx"), Language::of("de"), Language::of("")], [None, None, None]);
    }

    #[test]
    fn a_very_long_word_is_a_word() {
        let long = "é".repeat(100_000);
        assert_eq!(words(None, &long), ["e".repeat(WORD_CHARS_MAX)]);
    }
}
