from-manifest-learning-package = tirée du manifeste d'un module d'apprentissage
was-here-already-kept = elle était déjà ici, et n'est gardée qu'une fois
warning = avertissement : { $a }
taken-from-its-manifest = repris de son manifeste, car ils étaient vides : { $a }
none = aucun
record-has-no-files = la fiche n'a pas de fichiers
held = détenue
missing = manquante
unknown = inconnu
attachment = pièce jointe
size = taille
id = id
name = nom
type = type
state = état
also-held-by = aussi chez
damaged = ENDOMMAGÉ { $a } ({ $b })
read = { $a } lus, { $b }
not-here = { $a } absents d'ici
count-files-are =
    { $a ->
        [one] { $a } fichier est
       *[other] { $a } fichiers sont
    }
count-files =
    { $a ->
        [one] { $a } fichier
       *[other] { $a } fichiers
    }
verifying-logs = vérification des journaux
comparing-acknowledged-heads = comparaison des têtes confirmées
waiting-for-documents = attente des documents
deriving-documents = déduction des documents
reading-attachments = lecture des pièces jointes
checking = vérification
notice = remarque
damage = DOMMAGE
read-29 = { $a } lus
all-as-they-should = tous comme il faut
count-damages-were =
    { $a ->
        [one] { $a } dommage
       *[other] { $a } dommages
    }
count-attachments =
    { $a ->
        [one] { $a } pièce jointe
       *[other] { $a } pièces jointes
    }
count-entries =
    { $a ->
        [one] { $a } entrée
       *[other] { $a } entrées
    }
count-logs =
    { $a ->
        [one] { $a } journal
       *[other] { $a } journaux
    }
count-spaces =
    { $a ->
        [one] { $a } espace
       *[other] { $a } espaces
    }
count-payloads =
    { $a ->
        [one] { $a } contenu
       *[other] { $a } contenus
    }
count-documents =
    { $a ->
        [one] { $a } document
       *[other] { $a } documents
    }
count-damages =
    { $a ->
        [one] { $a } dommage
       *[other] { $a } dommages
    }
found = { $a } trouvés
in = { $a } dans { $b } de { $c }, { $d }, { $e } : { $f }
leave-one-doc-settle = Pour n'en laisser qu'une : { $a } doc settle { $b } CHAMP --heads { $c } --take NUMÉRO
nothing-contested = Rien n'est contesté.
there-are-more-records = Il y a d'autres fiches ; --limit en montre davantage.
list-not-complete-yet = La liste n'est pas encore complète : il reste { $a }.
counts-as = {" "}: vaut { $a }
signed-by = { $a }  { $b }  { $c }, signé par { $d }{ $e }
nothing = rien
from = { $a }  de { $b } à { $c }
nothing-differs = Rien ne diffère.
counts-are-not-complete = Les décomptes ne sont pas encore complets : il reste { $a }.
count-records =
    { $a ->
        [one] { $a } fiche
       *[other] { $a } fiches
    }
count-more-values =
    { $a ->
        [one] { $a } autre valeur
       *[other] { $a } autres valeurs
    }
signed-by-entry = { $a }  { $b }  { $c }, signé par { $d } (entrée { $e }/{ $f } { $g })
after = après { $a }
each-signature-was-verified = Chaque signature a été vérifiée avant que la modification soit prise ; `portolan check` le refait.
links-nothing-nothing-you = Elle ne renvoie à rien, et rien de ce que vous pouvez lire ne renvoie à elle.
there-are-more-each = Il y en a d'autres ; de chaque sorte, les { $a } premiers sont montrés.
what-links-not-complete = Ce qui renvoie à elle n'est pas encore complet : il reste { $a }.
relation = relation
record = fiche
title = titre
in-conflict = ({ $a } en conflit)
languages = langues
status = statut
marking = marquage
last-by = dernière main
signed-by-confirmed-by =
    { $a }  { $b }  { $c }, signé par { $d }
    {"    "}{ $e }
    {"    "}confirmé par { $f }
how-came-here-not = on ne sait pas comment elle est venue ici
written-here = écrite ici
came-from-over-link = venue de { $a } par une liaison
came-from-by-courier = venue de { $a } par courrier, dans la valise { $b }
nobody-else = personne d'autre
all-partners = tous les partenaires
note = note : { $a } { $b }
there-nothing-bring-back = Il n'y a rien à rétablir.
nothing-was-changed-this = Rien n'a été modifié : voici ce que cela ferait.
do-just-same-with = Pour faire exactement cela : la même commande avec --heads { $a } au lieu de --dry-run
created = créée
changed = modifiée
unchanged-says-so-already = inchangée : elle le dit déjà
deleted-hidden-on-every = supprimée : elle est cachée sur chaque nœud qui l'apprend
merged-with-what-others = , réunie avec ce que d'autres ont écrit entre-temps
conflict-written-at-same = CONFLIT { $a } : écrit en même temps : { $b }
deleted-hidden-in-lists = SUPPRIMÉE : cachée dans les listes, non effacée
vouched-for-by-node = { $a }, attesté par le nœud { $b }
by = { $a } par { $b }
space = espace
no-language-said = aucune langue indiquée
state-not-said = état non indiqué
no-translation = pas de traduction
no-translation-behind = Aucune traduction n'est en retard.
up-date = à jour
behind = { $a } de retard
nobody-said-what-was = personne n'a dit de quoi elle a été tirée
made-from-what-not = tirée de ce qui n'est pas détenu ici
count-changes =
    { $a ->
        [one] { $a } modification
       *[other] { $a } modifications
    }
no-other-node-member = Aucun autre nœud n'est membre de l'espace.
never = jamais
all = tout
nothing-confirmed = rien de confirmé
not-known-no-peer = inconnu : pas un pair de ce nœud
of = { $a } sur { $b }
no-member-any-more = { $a } ; n'est plus membre
partner = partenaire
has = a
signed = signé
last-heard = dernières nouvelles
key-opens-file = (la clé qui ouvre le fichier)
not-verified-nothing-exchanged = { $a } n'est pas vérifié : rien n'est échangé
nothing-was-heard-from = aucune nouvelle de { $a } depuis { $b }
nothing-was-ever-heard = on n'a jamais eu de nouvelles de { $a }
clock-ahead-this-one = l'horloge de { $a } avance de { $b } sur celle-ci
last-call-said-see = Le dernier appel a dit : { $a }. Veillez à ce que son service tourne et que l'UDP passe, ou échangez une valise.
damaged-on-disk = { $a } endommagés sur le disque
forked-author-signed-two = { $a } dédoublés : un auteur a signé deux historiques
for-something-before-them = { $a } quelque chose qui les précède
held-without-their-content = { $a } détenues sans leur contenu
quarantined-held-passed-on = { $a } en quarantaine : détenues et transmises, non appliquées
this-node-has-no = ce nœud n'a pas de clé pour { $a }
count-logs-are =
    { $a ->
        [one] { $a } journal est
       *[other] { $a } journaux sont
    }
count-logs-were =
    { $a ->
        [one] { $a } journal a été
       *[other] { $a } journaux ont été
    }
count-runs-entries-wait =
    { $a ->
        [one] { $a } suite d'entrées attend
       *[other] { $a } suites d'entrées attendent
    }
count-entries-are =
    { $a ->
        [one] { $a } entrée est
       *[other] { $a } entrées sont
    }
clock-this-machine-wrong = l'horloge de cette machine est fausse : elle indique { $a }
others-may-change-what = d'autres peuvent modifier ce qui est dans { $a }
others-may-read = d'autres peuvent lire { $a }
belongs-another-login-than = { $a } appartient à un autre compte que le répertoire du nœud
move-medium-kept-offline = Déplacez { $a } sur un support gardé hors ligne.
are-left-on-disk = il reste { $a } sur le disque de { $b }
files = fichiers
problem = problème
warning-132 = avertissement
hint = conseil
nothing-wrong = tout va bien
looked-at = Examiné { $a } : { $b }.
count-problems-were =
    { $a ->
        [one] { $a } problème
       *[other] { $a } problèmes
    }
count-findings =
    { $a ->
        [one] { $a } constat
       *[other] { $a } constats
    }
conflict-written-at-same-time = CONFLIT { $a } : écrit en même temps
no-marking = sans marquage
highest-marking-without-marking = { $a } ; marquage le plus élevé : { $b } ; sans marquage : { $c }
to = { $a } vers { $b } : { $c }
left-out-for-their = { $a } écartées à cause de leur marquage
list-was-not-complete = La liste n'était pas encore complète : il restait { $a }. Exportez de nouveau plus tard.
not-imported = non importé : { $a } : { $b }
note-145 = note : { $a } : { $b } { $c }
more-json-names-all = et { $a } de plus ; --json les nomme tous
created-changed-unchanged-not = { $a }créées { $b }, modifiées { $c }, inchangées { $d }, non importées { $e }
not-imported-texts-keep = { $a } non importées ; les textes gardent leurs renvois
other-formats-passed-over = { $a } d'autres formats ignorés
count-files-were =
    { $a ->
        [one] { $a } fichier a été
       *[other] { $a } fichiers ont été
    }
count-images =
    { $a ->
        [one] { $a } image
       *[other] { $a } images
    }
recovery-key-shown-this =
    Clé de secours, montrée cette seule fois et gardée nulle part. Notez-la et mettez-la sous clé :

    {"  "}{ $a }

    Démarrez le nœud avec `portoland run --home { $b }`.
home = répertoire
node = nœud
fingerprint = empreinte
administrator = administrateur
configuration = configuration
not-listed-limit-lists = { $a } absentes de la liste : `--limit { $b }` en montre plus{ $c }.
seen-notes-them-as = {" "}; --seen les note malgré tout comme vues
count-new =
    { $a ->
        [one] { $a } nouvelle
       *[other] { $a } nouvelles
    }
count-changed =
    { $a ->
        [one] { $a } modifiée
       *[other] { $a } modifiées
    }
count-deleted =
    { $a ->
        [one] { $a } supprimée
       *[other] { $a } supprimées
    }
count-your-own =
    { $a ->
        [one] { $a } de vous
       *[other] { $a } de vous
    }
new = nouveau
deleted = supprimée
no-title = (sans titre)
all-there-nobody-looked = Tout ce qu'il y a : personne n'avait encore regardé d'ici.
since = Depuis { $a }.
since-by-clocks-those = Depuis { $a }, d'après les horloges des auteurs : les fiches ont été déduites de nouveau entre-temps, et ce qui est venu tard peut manquer.
not-everything-looked-at = Tout n'est pas encore examiné : il reste { $a }.
nothing-new = Rien de nouveau.
what-new = Les nouveautés
not-listed = { $a } absentes de la liste.
count-records-are =
    { $a ->
        [one] { $a } fiche est
       *[other] { $a } fiches sont
    }
holds-card-fingerprint-send =
    { $a } contient la carte de { $b }.
    empreinte  { $c }
    Envoyez le fichier ; lisez l'empreinte à l'autre partie par téléphone, jamais dans le même courriel.
verified-what-both-are = Il est vérifié : ce dont les deux sont membres s'échange dès qu'il y a une liaison.
still-member-spaces-end = Il est encore membre d'espaces : mettez-y fin avec `portolan space revoke`.
no-peer-any-more = { $a } n'est plus un pair ; rien n'est échangé avec lui.
yes = oui
no = NON
no-181 = non
call-other-administrator-at = Appelez l'autre administrateur à un numéro que vous connaissez, et faites-vous lire l'empreinte de son nœud.
type-as-you-hear = Tapez-la comme vous l'entendez :
country = pays
verified = vérifié
connected = connecté
addresses = adresses
organisation = organisation
card-version = version de la carte
whole-on-medium-can = { $a } entiers sur le support et peuvent être portés ; rien ne compte comme envoyé avant l'accusé de réception.
pouch-for-in =
    valise { $a } pour { $b } : { $c }, { $d }, { $e }
    dans { $f }
they-have-receipted-everything = Ils ont accusé réception de tout ; la valise ne porte que des accusés. --full renvoie tout.
file-could-not-read = le fichier { $a } n'a pas pu être lu ici jusqu'au bout : voyez `portolan attachment verify`
not-packed-they-said = { $a } non emballés : ils ont dit les détenir (--full les emballe de nouveau)
not-packed-not-on = { $a } non emballés : absents de ce nœud
not-packed-too-large = { $a } non emballés : trop grands (--attachments all)
not-packed-more-than = { $a } non emballés : plus qu'une valise n'en porte ; ils vont dans la suivante
no-files-packed-records = aucun fichier emballé : les fiches ne peuvent pas être examinées ; voyez `portolan check`
count-volumes-are =
    { $a ->
        [one] { $a } volume est
       *[other] { $a } volumes sont
    }
count-volumes =
    { $a ->
        [one] { $a } volume
       *[other] { $a } volumes
    }
was-asked-for-as = il a été demandé sous forme de code
reading = lecture
taking = prise
verifying = vérification
did-not-come-whole = { $a } n'est pas arrivé entier : { $b }
all-records-were-taken = Toutes les fiches ont été prises, et ce qui est arrivé des fichiers est conservé.
not-here-yet = { $a } pas encore ici
came-end = { $a } arrivés jusqu'au bout
volume-nothing-lacking-for = le volume est { $a } ; rien ne manque pour autant
rest-in-another-volume = le reste est dans un autre volume, ou chez des partenaires qui le détiennent
are-here = { $a } : { $b } sur { $c } sont ici ; { $d }
would-new = seraient nouvelles
volume-from = { $a } volume { $b } de { $c } : { $d }, { $e } { $f }
entries = entrées { $a } à { $b }
not-taken = non prises : { $a }
waiting-for-those-from = en attente de celles de { $a }
waiting-for-those-from-which = en attente de celles de { $a }, que détient { $b }
for-others-or-this = { $a } pour d'autres, ou de ce nœud lui-même
receipt-for-not-on = l'accusé de réception pour { $a } n'est pas sur le support : { $b }
safe-remove-eject-medium = Peut être retiré : éjectez le support.
sent = Envoyées
taken = Prises
there-nothing-carry = Il n'y a rien à porter.
what-has-not-arrived = Ce qui n'est pas arrivé compte comme non envoyé : attendez l'accusé de réception, ou renvoyez.
everything-was-sent-has = Tout ce qui a été envoyé est arrivé.
not-finished-portolan-pouch = non terminée : `portolan pouch resume { $a } --out DIR`
files-alone-for-which = seulement des fichiers, pour lesquels il ne vient pas d'accusé
receipts = accusés de réception
arrived = arrivé
no-receipt-yet = pas encore d'accusé
arrived-231 = { $a } sur { $b } arrivés
pouch = valise
packed = préparée
for = pour
entries-235 = entrées
volumes = volumes
taken-237 = prise
from-238 = de
not-whole = { $a } incomplet : { $b }
passed-over-volumes-are = { $a } ignorés ; les volumes se reconnaissent aux noms sous lesquels ils ont été écrits
safe-remove-eject-medium-carry = Peut être retiré : éjectez le support, et portez-le plus loin.
count-other-files =
    { $a ->
        [one] { $a } autre fichier
       *[other] { $a } autres fichiers
    }
volume = volume
receipts-were-taken-medium = Les accusés de { $a } ont été pris. Le support peut resservir.
volume-245 = le volume
all-volumes = les { $a } volumes
volumes-247 = { $a } volumes sur { $b }
was-known = {" "}; on le savait
all-has-arrived = Tout est arrivé.
was-not-written-its = Elle n'a pas été écrite jusqu'au bout : `portolan pouch resume { $a } --out DIR`.
not-yet-what-does = Pas encore : { $a }. Ce qui n'arrive pas va dans la prochaine valise.
holds-pouch =
    { $a } détient { $b } de la valise { $c }{ $d }.
    { $e }
contents-were-held-without = , et le contenu de { $a } détenues sans lui
safe-remove-eject-medium-carry-254 = Peut être retiré : éjectez le support, et portez-le à { $a }.
and = et
safe-remove-eject-medium-carry-back = Peut être retiré : éjectez le support, et rapportez-le à { $a } : l'accusé de réception est dessus.
safe-remove-eject-medium-send = Peut être retiré : éjectez le support, et envoyez le code ci-dessus à { $a }.
usual = { $a }  { $b }  usuel : { $c }
records-tagged-were-looked = Les fiches étiquetées `{ $a }` ont été cherchées aussi : le concept s'appelle { $b }.
not-everything-can-found = Tout ne peut pas encore être trouvé : il reste { $a }.
nothing-was-found-try = Rien n'a été trouvé. Essayez { $a }.
tagged = étiquettes { $a }
grant-others-access-with =
    { $a }  { $b }
    Donnez accès à d'autres avec `portolan space grant`.
now-called = { $a } s'appelle maintenant { $b }
removed-what-wrote-so =
    { $a } est retiré. Ce qu'il a écrit jusqu'ici demeure ; ce qu'il écrit désormais ne compte nulle part.
    L'époque { $b } est ouverte à { $c } ; le membre retiré ne peut pas lire ce qui y est écrit. Ce qu'il a lu, il le garde.
epoch-open = L'époque { $a } est ouverte à { $b }.
count-members =
    { $a ->
        [one] { $a } membre
       *[other] { $a } membres
    }
role = rôle
reads = lit
nothing-this-node-offline = rien : ce nœud est hors ligne, et n'échange que par `portolan pouch`
spaces = Espaces
peers = Pairs
none-introduce-one-with = aucun ; présentez-en un avec `portolan peer add CARTE`
none-make-one-with = aucun ; créez-en un avec `portolan space create NOM`
entries-go = { $a } (il reste { $b } entrées)
active = actif
not-member = pas membre
removed = retiré
upgrade-needed = mise à niveau nécessaire
unknown-this-release = inconnu de cette version
for-something-before-them-281 = { $a } : { $b } quelque chose qui les précède
quarantined-held-passed-on-not = en quarantaine : détenues et transmises, non appliquées
without-their-payload = sans leur contenu
this-node-has-no-key = pour lesquelles ce nœud n'a pas de clé
damaged-on-disk-see = { $a } : { $b } ENDOMMAGÉS sur le disque ; voyez `portolan check`
forked-by-author-see = { $a } : { $b } DÉDOUBLÉS par l'auteur ; voyez `portolan check`
not-verified-nothing-exchanged-compare = NON VÉRIFIÉ : rien n'est échangé ; comparez l'empreinte avec `portolan peer add`
connected-at-for = connecté ({ $a }) à { $b } depuis { $c }
not-connected-last-at = non connecté ; la dernière fois { $a } à { $b }
not-connected-since-daemon = non connecté depuis le démarrage du service
never-connected = jamais connecté
last-heard-292 = dernières nouvelles { $a } ({ $b })
last-pouch-taken = dernière valise prise { $a } ({ $b })
trouble = ennui : { $a }
called-again-in-at = rappelé dans { $a } ; tout de suite avec `portolan sync`
no-address-on-its = pas d'adresse sur sa carte : c'est à lui d'appeler ce nœud
no-member-any-more-had = { $a } : n'est plus membre ; avait confirmé { $b } entrées
has-confirmed-nothing-yet = { $a } ({ $b }) : n'a encore rien confirmé
confirmed-entries = { $a } ({ $b }) : { $c }, a confirmé { $d } entrées sur { $e }{ $f }
title-behind = EN RETARD
outgoing = sortante
incoming = entrante
by-route-unknown-this = par une voie inconnue de cette version
members = membres
records = fiches
epoch = époque
listening-at = écoute sur
addresses-on-card = adresses sur la carte
release = version
up-for = en marche depuis
store = dépôt
incarnation = incarnation
there-are-no-verified = Il n'y a pas de pairs vérifiés avec qui échanger ; `portolan peer list` les montre tous.
connected-not-up-date = connecté, pas encore à jour
not-connected = non connecté
not-connected-316 = non connecté : { $a }
reached-by-portolan-pouch = atteint par `portolan pouch` seulement
not-verified-nothing-exchanged-318 = non vérifié : rien n'est échangé
may-no-longer-use = { $a } ne peut plus utiliser ce nœud. Les modifications faites avant gardent ce nom.
in-320 = { $a } dans { $b }
login = compte
can = peut
person = personne
not-taken-324 = non pris : { $a } : { $b }
created-changed-unchanged-not-taken = { $a }créés { $b }, modifiés { $c }, inchangés { $d }, non pris { $e }
count-terms-were =
    { $a ->
        [one] { $a } terme a été
       *[other] { $a } termes ont été
    }
not-taken-327 = { $a } non pris
count-concepts =
    { $a ->
        [one] { $a } concept
       *[other] { $a } concepts
    }
scheme = schéma
notation = notation
label = libellé
broader = plus large
error = erreur :
safe = sûr :
next = suite :
just-now = à l'instant
ago = il y a { $a }
min = { $a } min
days = { $a } jours
clock = horloge
disk = disque
daemon = service
peers-343 = pairs
spaces-344 = espaces
users = comptes
records-written = { $a } de fiches écrits, { $b }
not-written = non écrit : { $a } de { $b } : { $c }
would-become-files-records = { $a } deviendraient des fichiers des fiches
images-added-unchanged-not = images : ajoutées { $a }, inchangées { $b }, non ajoutées { $c }
would-be-written-to = serait écrit dans { $a } : { $b }
written-to = écrit dans { $a } : { $b }
last-change = dernière modification
changes = modifications
heads = têtes
this-node-in-brackets = (ce nœud)
card-not-held = (carte non détenue)
since-it-came = depuis sa venue
try-fewer-words = moins de mots
try-words = des mots au lieu d'une phrase
try-beginning = le début d'un mot (`harb*`)
try-no-language = sans --lang
try-fewer-filters = moins de filtres
comma-or = , ou
