from-manifest-learning-package = من بيان حزمة تعليمية
was-here-already-kept = كان هنا من قبل، ويُحفظ مرة واحدة
warning = تنبيه: { $a }
taken-from-its-manifest = أُخذ من بيانه لأنها كانت فارغة: { $a }
none = لا شيء
record-has-no-files = لا ملفات في السجل
held = موجود
missing = مفقود
unknown = غير معروف
attachment = مرفق
size = الحجم
id = المعرّف
name = الاسم
type = النوع
state = الحالة
also-held-by = موجود أيضًا لدى
damaged = تالف { $a } ({ $b })
read = قُرئ { $a }، { $b }
not-here = { $a } غير موجودة هنا
count-files-are =
    { $a ->
        [one] ملف واحد
        [two] ملفان
        [few] { $a } ملفات
        [many] { $a } ملفًا
       *[other] { $a } ملف
    }
count-files =
    { $a ->
        [one] ملف واحد
        [two] ملفان
        [few] { $a } ملفات
        [many] { $a } ملفًا
       *[other] { $a } ملف
    }
verifying-logs = التحقق من الدفاتر
comparing-acknowledged-heads = مقارنة الرؤوس المؤكدة
waiting-for-documents = انتظار المستندات
deriving-documents = اشتقاق المستندات
reading-attachments = قراءة المرفقات
checking = فحص
notice = ملاحظة
damage = تلف
read-29 = قُرئ { $a }
all-as-they-should = كلها كما ينبغي
count-damages-were =
    { $a ->
        [one] تلف واحد
        [two] تلفان
        [few] { $a } مواضع تلف
        [many] { $a } موضع تلف
       *[other] { $a } موضع تلف
    }
count-attachments =
    { $a ->
        [one] مرفق واحد
        [two] مرفقان
        [few] { $a } مرفقات
        [many] { $a } مرفقًا
       *[other] { $a } مرفق
    }
count-entries =
    { $a ->
        [one] قيد واحد
        [two] قيدان
        [few] { $a } قيود
        [many] { $a } قيدًا
       *[other] { $a } قيد
    }
count-logs =
    { $a ->
        [one] دفتر واحد
        [two] دفتران
        [few] { $a } دفاتر
        [many] { $a } دفترًا
       *[other] { $a } دفتر
    }
count-spaces =
    { $a ->
        [one] فضاء واحد
        [two] فضاءان
        [few] { $a } فضاءات
        [many] { $a } فضاءً
       *[other] { $a } فضاء
    }
count-payloads =
    { $a ->
        [one] محتوى واحد
        [two] محتويان
        [few] { $a } محتويات
        [many] { $a } محتوى
       *[other] { $a } محتوى
    }
count-documents =
    { $a ->
        [one] مستند واحد
        [two] مستندان
        [few] { $a } مستندات
        [many] { $a } مستندًا
       *[other] { $a } مستند
    }
count-damages =
    { $a ->
        [one] تلف واحد
        [two] تلفان
        [few] { $a } مواضع تلف
        [many] { $a } موضع تلف
       *[other] { $a } موضع تلف
    }
found = وُجد { $a }
in = { $a } في { $b } ضمن { $c }، { $d }، { $e }: { $f }
leave-one-doc-settle = للإبقاء على واحدة: { $a } doc settle { $b } FIELD --heads { $c } --take NUMBER
nothing-contested = لا شيء متنازع فيه.
there-are-more-records = هناك سجلات أخرى؛ يُظهر --limit المزيد منها.
list-not-complete-yet = القائمة غير مكتملة بعد: بقي { $a }.
counts-as = : يُعد { $a }
signed-by = { $a }  { $b }  { $c }، توقيع { $d }{ $e }
nothing = لا شيء
from = { $a }  من { $b } إلى { $c }
nothing-differs = لا فرق.
counts-are-not-complete = الأعداد غير مكتملة بعد: بقي { $a }.
count-records =
    { $a ->
        [one] سجل واحد
        [two] سجلان
        [few] { $a } سجلات
        [many] { $a } سجلًا
       *[other] { $a } سجل
    }
count-more-values =
    { $a ->
        [one] قيمة أخرى
        [two] قيمتان أخريان
        [few] { $a } قيم أخرى
        [many] { $a } قيمة أخرى
       *[other] { $a } قيمة أخرى
    }
signed-by-entry = { $a }  { $b }  { $c }، توقيع { $d } (القيد { $e }/{ $f } { $g })
after = بعد { $a }
each-signature-was-verified = جرى التحقق من كل توقيع قبل أخذ التعديل؛ ويعيد `portolan check` ذلك.
links-nothing-nothing-you = لا يحيل إلى شيء، ولا يحيل إليه شيء مما يجوز لك أن تقرأه.
there-are-more-each = هناك غيرها؛ ويُعرض أول { $a } من كل نوع.
what-links-not-complete = ما يحيل إليه غير مكتمل بعد: بقي { $a }.
relation = العلاقة
record = السجل
title = العنوان
in-conflict = ({ $a } متعارضة)
languages = اللغات
status = الحالة
marking = التصنيف
last-by = آخر تعديل
signed-by-confirmed-by =
    { $a }  { $b }  { $c }، توقيع { $d }
    {"    "}{ $e }
    {"    "}أكّده { $f }
how-came-here-not = لا يُعرف كيف وصل إلى هنا
written-here = كُتب هنا
came-from-over-link = جاء من { $a } عبر وصلة
came-from-by-courier = جاء من { $a } مع رسول، في الحقيبة { $b }
nobody-else = لا أحد غيره
all-partners = جميع الشركاء
note = ملاحظة: { $a } { $b }
there-nothing-bring-back = لا شيء يُستعاد.
nothing-was-changed-this = لم يتغير شيء: هذا ما كان سيفعله.
do-just-same-with = لفعل ذلك بعينه: الأمر نفسه مع --heads { $a } بدل --dry-run
created = أُنشئ
changed = عُدّل
unchanged-says-so-already = لم يتغير: يقول ذلك بالفعل
deleted-hidden-on-every = حُذف: يُخفى على كل عقدة تعلم به
merged-with-what-others = ، ودُمج مع ما كتبه آخرون في الأثناء
conflict-written-at-same = تعارض { $a }: كُتب في الوقت نفسه: { $b }
deleted-hidden-in-lists = محذوف: مخفي في القوائم وغير ممحو
vouched-for-by-node = { $a }، بشهادة العقدة { $b }
by = { $a } بواسطة { $b }
space = الفضاء
no-language-said = لم تُذكر لغة
state-not-said = لم تُذكر الحالة
no-translation = لا ترجمة
no-translation-behind = لا ترجمة متأخرة.
up-date = محدَّث
behind = متأخر بـ { $a }
nobody-said-what-was = لم يذكر أحد مما صُنعت
made-from-what-not = مصنوعة مما ليس هنا
count-changes =
    { $a ->
        [one] تعديل واحد
        [two] تعديلان
        [few] { $a } تعديلات
        [many] { $a } تعديلًا
       *[other] { $a } تعديل
    }
no-other-node-member = لا عقدة أخرى عضو في الفضاء.
never = أبدًا
all = الكل
nothing-confirmed = لم يؤكَّد شيء
not-known-no-peer = غير معروف: ليس نظيرًا لهذه العقدة
of = { $a } من { $b }
no-member-any-more = { $a }؛ لم يعد عضوًا
partner = الشريك
has = لديه
signed = وقّع
last-heard = آخر اتصال
key-opens-file = (المفتاح الذي يفتح الملف)
not-verified-nothing-exchanged = { $a } غير متحقَّق منه: لا يُتبادل شيء
nothing-was-heard-from = لم يُسمع شيء من { $a } منذ { $b }
nothing-was-ever-heard = لم يُسمع شيء قط من { $a }
clock-ahead-this-one = ساعة { $a } متقدمة { $b } على هذه
last-call-said-see = قال آخر اتصال: { $a }. تأكد أن خدمته تعمل وأن UDP يمر، أو تبادلا حقيبة.
damaged-on-disk = { $a } تالفة على القرص
forked-author-signed-two = { $a } متفرعة: وقّع صاحبها تاريخين
for-something-before-them = { $a } شيئًا قبلها
held-without-their-content = { $a } موجودة من دون محتواها
quarantined-held-passed-on = { $a } في الحجر: محفوظة وتُمرَّر وغير مطبَّقة
this-node-has-no = لا مفتاح لدى هذه العقدة لـ { $a }
count-logs-are =
    { $a ->
        [one] دفتر واحد
        [two] دفتران
        [few] { $a } دفاتر
        [many] { $a } دفترًا
       *[other] { $a } دفتر
    }
count-logs-were =
    { $a ->
        [one] دفتر واحد
        [two] دفتران
        [few] { $a } دفاتر
        [many] { $a } دفترًا
       *[other] { $a } دفتر
    }
count-runs-entries-wait =
    { $a ->
        [one] سلسلة قيود تنتظر
        [two] سلسلتا قيود تنتظران
        [few] { $a } سلاسل قيود تنتظر
        [many] { $a } سلسلة قيود تنتظر
       *[other] { $a } سلسلة قيود تنتظر
    }
count-entries-are =
    { $a ->
        [one] قيد واحد
        [two] قيدان
        [few] { $a } قيود
        [many] { $a } قيدًا
       *[other] { $a } قيد
    }
clock-this-machine-wrong = ساعة هذا الجهاز خاطئة: تقول { $a }
others-may-change-what = يستطيع آخرون تعديل ما في { $a }
others-may-read = يستطيع آخرون قراءة { $a }
belongs-another-login-than = { $a } مملوك لحساب غير صاحب مجلد العقدة
move-medium-kept-offline = انقل { $a } إلى وسيط يُحفظ بلا اتصال.
are-left-on-disk = بقي { $a } على قرص { $b }
files = الملفات
problem = مشكلة
warning-132 = تنبيه
hint = نصيحة
nothing-wrong = لا خلل
looked-at = فُحص { $a }: { $b }.
count-problems-were =
    { $a ->
        [one] مشكلة واحدة
        [two] مشكلتان
        [few] { $a } مشكلات
        [many] { $a } مشكلة
       *[other] { $a } مشكلة
    }
count-findings =
    { $a ->
        [one] ملاحظة واحدة
        [two] ملاحظتان
        [few] { $a } ملاحظات
        [many] { $a } ملاحظة
       *[other] { $a } ملاحظة
    }
conflict-written-at-same-time = تعارض { $a }: كُتب في الوقت نفسه
no-marking = بلا تصنيف
highest-marking-without-marking = { $a }؛ أعلى تصنيف: { $b }؛ بلا تصنيف: { $c }
to = { $a } إلى { $b }: { $c }
left-out-for-their = { $a } تُركت بسبب تصنيفها
list-was-not-complete = لم تكن القائمة مكتملة بعد: بقي { $a }. أعد التصدير لاحقًا.
not-imported = لم يُستورد: { $a }: { $b }
note-145 = ملاحظة: { $a }: { $b } { $c }
more-json-names-all = و{ $a } غيرها؛ يسمّيها --json كلها
created-changed-unchanged-not = { $a }أُنشئ { $b }، عُدّل { $c }، لم يتغير { $d }، لم يُستورد { $e }
not-imported-texts-keep = { $a } لم تُستورد؛ وتحتفظ النصوص بإحالاتها
other-formats-passed-over = { $a } بصيغ أخرى جرى تجاوزها
count-files-were =
    { $a ->
        [one] ملف واحد
        [two] ملفان
        [few] { $a } ملفات
        [many] { $a } ملفًا
       *[other] { $a } ملف
    }
count-images =
    { $a ->
        [one] صورة واحدة
        [two] صورتان
        [few] { $a } صور
        [many] { $a } صورة
       *[other] { $a } صورة
    }
recovery-key-shown-this =
    مفتاح الاسترداد، يُعرض هذه المرة فقط ولا يُحفظ في أي مكان. دوّنه واحفظه في مكان مغلق:

    {"  "}{ $a }

    شغّل العقدة بالأمر `portoland run --home { $b }`.
home = المجلد
node = العقدة
fingerprint = البصمة
administrator = المدير
configuration = الإعدادات
not-listed-limit-lists = { $a } خارج القائمة: يُظهر `--limit { $b }` المزيد{ $c }.
seen-notes-them-as = ؛ ويسجّلها --seen مع ذلك على أنها شوهدت
count-new =
    { $a ->
        [one] { $a } جديد
        [two] { $a } جديدان
        [few] { $a } جديدة
        [many] { $a } جديدًا
       *[other] { $a } جديد
    }
count-changed =
    { $a ->
        [one] { $a } معدَّل
        [two] { $a } معدَّلان
        [few] { $a } معدَّلة
        [many] { $a } معدَّلًا
       *[other] { $a } معدَّل
    }
count-deleted =
    { $a ->
        [one] { $a } محذوف
        [two] { $a } محذوفان
        [few] { $a } محذوفة
        [many] { $a } محذوفًا
       *[other] { $a } محذوف
    }
count-your-own =
    { $a ->
        [one] { $a } من عندك
        [two] { $a } من عندك
        [few] { $a } من عندك
        [many] { $a } من عندك
       *[other] { $a } من عندك
    }
new = جديد
deleted = محذوف
no-title = (بلا عنوان)
all-there-nobody-looked = كل ما هو موجود: لم يطّلع أحد من هنا من قبل.
since = منذ { $a }.
since-by-clocks-those = منذ { $a } بحسب ساعات الكاتبين: اشتُقت السجلات من جديد في الأثناء، وقد ينقص ما وصل متأخرًا.
not-everything-looked-at = لم يُفحص كل شيء بعد: بقي { $a }.
nothing-new = لا جديد.
what-new = الجديد
not-listed = { $a } خارج القائمة.
count-records-are =
    { $a ->
        [one] سجل واحد
        [two] سجلان
        [few] { $a } سجلات
        [many] { $a } سجلًا
       *[other] { $a } سجل
    }
holds-card-fingerprint-send =
    يحوي { $a } بطاقة { $b }.
    البصمة  { $c }
    أرسل الملف، واقرأ البصمة للطرف الآخر بالهاتف، لا في الرسالة نفسها أبدًا.
verified-what-both-are = جرى التحقق منه: يُتبادل ما يشترك الطرفان في عضويته كلما توفرت وصلة.
still-member-spaces-end = لا يزال عضوًا في فضاءات: أنهِ ذلك بالأمر `portolan space revoke`.
no-peer-any-more = لم يعد { $a } نظيرًا؛ ولا يُتبادل معه شيء.
yes = نعم
no = لا
no-181 = لا
call-other-administrator-at = اتصل بالمدير الآخر على رقم تعرفه، واطلب أن تُقرأ لك بصمة تلك العقدة.
type-as-you-hear = اكتبها كما تسمعها:
country = البلد
verified = متحقَّق منه
connected = متصل
addresses = العناوين
organisation = المنظمة
card-version = إصدار البطاقة
whole-on-medium-can = { $a } كاملة على الوسيط ويمكن حملها؛ ولا يُعد شيء مرسلًا قبل وصول إيصاله.
pouch-for-in =
    الحقيبة { $a } إلى { $b }: { $c }، { $d }، { $e }
    في { $f }
they-have-receipted-everything = أقرّوا باستلام كل شيء؛ والحقيبة لا تحمل إلا إيصالات. يعيد --full إرسال الكل.
file-could-not-read = تعذرت هنا قراءة الملف { $a } إلى آخره: انظر `portolan attachment verify`
not-packed-they-said = { $a } لم تُحزم: قالوا إنها لديهم (يعيد --full حزمها)
not-packed-not-on = { $a } لم تُحزم: ليست على هذه العقدة
not-packed-too-large = { $a } لم تُحزم: كبيرة جدًا (--attachments all)
not-packed-more-than = { $a } لم تُحزم: أكثر مما تحمله حقيبة؛ وتذهب في التالية
no-files-packed-records = لم يُحزم أي ملف: لا يمكن فحص السجلات؛ انظر `portolan check`
count-volumes-are =
    { $a ->
        [one] جزء واحد
        [two] جزءان
        [few] { $a } أجزاء
        [many] { $a } جزءًا
       *[other] { $a } جزء
    }
count-volumes =
    { $a ->
        [one] جزء واحد
        [two] جزءان
        [few] { $a } أجزاء
        [many] { $a } جزءًا
       *[other] { $a } جزء
    }
was-asked-for-as = طُلب على هيئة رمز
reading = قراءة
taking = أخذ
verifying = تحقق
did-not-come-whole = لم يصل { $a } كاملًا: { $b }
all-records-were-taken = أُخذت كل السجلات، وما وصل من الملفات محفوظ.
not-here-yet = { $a } ليست هنا بعد
came-end = { $a } وصلت إلى آخرها
volume-nothing-lacking-for = الجزء { $a }؛ ولا ينقص شيء بسبب ذلك
rest-in-another-volume = الباقي في جزء آخر أو لدى شركاء يملكونه
are-here = { $a }: هنا { $b } من { $c }؛ { $d }
would-new = ستكون جديدة
volume-from = { $a } الجزء { $b } من { $c }: { $d }، { $e } { $f }
entries = القيود { $a } إلى { $b }
not-taken = لم تؤخذ: { $a }
waiting-for-those-from = بانتظار ما من { $a }
waiting-for-those-from-which = بانتظار ما من { $a } وهو لدى { $b }
for-others-or-this = { $a } لغيرها أو لهذه العقدة نفسها
receipt-for-not-on = إيصال { $a } ليس على الوسيط: { $b }
safe-remove-eject-medium = يمكن نزعه: أخرج الوسيط.
sent = المرسلة
taken = المأخوذة
there-nothing-carry = لا شيء يُحمل.
what-has-not-arrived = ما لم يصل يُعد غير مرسل: انتظر الإيصال أو أرسل من جديد.
everything-was-sent-has = وصل كل ما أُرسل.
not-finished-portolan-pouch = غير منتهية: `portolan pouch resume { $a } --out DIR`
files-alone-for-which = ملفات فقط، ولا يأتي إيصال لها
receipts = إيصالات
arrived = وصل
no-receipt-yet = لا إيصال بعد
arrived-231 = وصل { $a } من { $b }
pouch = الحقيبة
packed = حُزمت
for = إلى
entries-235 = القيود
volumes = الأجزاء
taken-237 = أُخذت
from-238 = من
not-whole = { $a } غير كامل: { $b }
passed-over-volumes-are = { $a } جرى تجاوزها؛ تُعرف الأجزاء بالأسماء التي كُتبت بها
safe-remove-eject-medium-carry = يمكن نزعه: أخرج الوسيط وتابع حمله.
count-other-files =
    { $a ->
        [one] ملف آخر
        [two] ملفان آخران
        [few] { $a } ملفات أخرى
        [many] { $a } ملفًا آخر
       *[other] { $a } ملف آخر
    }
volume = الجزء
receipts-were-taken-medium = أُخذت إيصالات { $a }. ويمكن استعمال الوسيط من جديد.
volume-245 = الجزء
all-volumes = كل الأجزاء ({ $a })
volumes-247 = { $a } من { $b } أجزاء
was-known = ؛ وكان ذلك معروفًا
all-has-arrived = وصل كله.
was-not-written-its = لم تُكتب إلى آخرها: `portolan pouch resume { $a } --out DIR`.
not-yet-what-does = ليس بعد: { $a }. وما لا يصل يذهب في الحقيبة التالية.
holds-pouch =
    لدى { $a } { $b } من الحقيبة { $c }{ $d }.
    { $e }
contents-were-held-without = ، ومحتويات { $a } كانت موجودة من دونها
safe-remove-eject-medium-carry-254 = يمكن نزعه: أخرج الوسيط واحمله إلى { $a }.
and = و
safe-remove-eject-medium-carry-back = يمكن نزعه: أخرج الوسيط وأعده إلى { $a }: الإيصال عليه.
safe-remove-eject-medium-send = يمكن نزعه: أخرج الوسيط وأرسل الرمز أعلاه إلى { $a }.
usual = { $a }  { $b }  المعتاد: { $c }
records-tagged-were-looked = بُحث أيضًا عن السجلات الموسومة `{ $a }`: اسم المفهوم { $b }.
not-everything-can-found = لا يمكن بعد العثور على كل شيء: بقي { $a }.
nothing-was-found-try = لم يُعثر على شيء. جرّب { $a }.
tagged = الوسوم { $a }
grant-others-access-with =
    { $a }  { $b }
    امنح آخرين الدخول بالأمر `portolan space grant`.
now-called = صار اسم { $a } الآن { $b }
removed-what-wrote-so =
    أُزيل { $a }. يبقى ما كتبه حتى الآن؛ ولا يُعتد في أي مكان بما يكتبه من الآن.
    الحقبة { $b } مفتوحة لـ { $c }؛ ولا يستطيع العضو المُزال قراءة ما يُكتب فيها. وما قرأه يبقى لديه.
epoch-open = الحقبة { $a } مفتوحة لـ { $b }.
count-members =
    { $a ->
        [one] عضو واحد
        [two] عضوان
        [few] { $a } أعضاء
        [many] { $a } عضوًا
       *[other] { $a } عضو
    }
role = الدور
reads = يقرأ
nothing-this-node-offline = لا شيء: هذه العقدة غير متصلة، وتتبادل بالأمر `portolan pouch` وحده
spaces = الفضاءات
peers = النظراء
none-introduce-one-with = لا أحد؛ عرِّف بواحد بالأمر `portolan peer add CARD`
none-make-one-with = لا شيء؛ أنشئ واحدًا بالأمر `portolan space create NAME`
entries-go = { $a } (بقي { $b } قيد)
active = نشط
not-member = ليس عضوًا
removed = مُزال
upgrade-needed = يلزم ترقية
unknown-this-release = غير معروف لهذا الإصدار
for-something-before-them-281 = { $a }: { $b } شيئًا قبلها
quarantined-held-passed-on-not = في الحجر: محفوظة وتُمرَّر وغير مطبَّقة
without-their-payload = من دون محتواها
this-node-has-no-key = لا مفتاح لها لدى هذه العقدة
damaged-on-disk-see = { $a }: { $b } تالفة على القرص؛ انظر `portolan check`
forked-by-author-see = { $a }: { $b } فرّعها صاحبها؛ انظر `portolan check`
not-verified-nothing-exchanged-compare = غير متحقَّق منه: لا يُتبادل شيء؛ قارن البصمة بالأمر `portolan peer add`
connected-at-for = متصل ({ $a }) على { $b } منذ { $c }
not-connected-last-at = غير متصل؛ آخر مرة { $a } على { $b }
not-connected-since-daemon = غير متصل منذ بدء الخدمة
never-connected = لم يتصل قط
last-heard-292 = آخر اتصال { $a } ({ $b })
last-pouch-taken = آخر حقيبة أُخذت { $a } ({ $b })
trouble = عائق: { $a }
called-again-in-at = يُعاد الاتصال به بعد { $a }؛ وفورًا بالأمر `portolan sync`
no-address-on-its = لا عنوان على بطاقته: عليه أن يتصل هو بهذه العقدة
no-member-any-more-had = { $a }: لم يعد عضوًا؛ كان قد أكّد { $b } قيد
has-confirmed-nothing-yet = { $a } ({ $b }): لم يؤكد شيئًا بعد
confirmed-entries = { $a } ({ $b }): { $c }، أكّد { $d } من { $e } قيد{ $f }
title-behind = متأخر
outgoing = صادر
incoming = وارد
by-route-unknown-this = بطريق غير معروف لهذا الإصدار
members = الأعضاء
records = السجلات
epoch = الحقبة
listening-at = يستمع على
addresses-on-card = العناوين على البطاقة
release = الإصدار
up-for = يعمل منذ
store = المخزن
incarnation = التجسد
there-are-no-verified = لا نظراء متحقَّق منهم للتبادل معهم؛ يُظهر `portolan peer list` الجميع.
connected-not-up-date = متصل، غير محدَّث بعد
not-connected = غير متصل
not-connected-316 = غير متصل: { $a }
reached-by-portolan-pouch = يُبلَغ بالأمر `portolan pouch` وحده
not-verified-nothing-exchanged-318 = غير متحقَّق منه: لا يُتبادل شيء
may-no-longer-use = لم يعد بإمكان { $a } استعمال هذه العقدة. وتحتفظ التعديلات السابقة بالاسم.
in-320 = { $a } في { $b }
login = الحساب
can = يستطيع
person = الشخص
not-taken-324 = لم يؤخذ: { $a }: { $b }
created-changed-unchanged-not-taken = { $a }أُنشئ { $b }، عُدّل { $c }، لم يتغير { $d }، لم يؤخذ { $e }
count-terms-were =
    { $a ->
        [one] مصطلح واحد
        [two] مصطلحان
        [few] { $a } مصطلحات
        [many] { $a } مصطلحًا
       *[other] { $a } مصطلح
    }
not-taken-327 = لم يؤخذ { $a }
count-concepts =
    { $a ->
        [one] مفهوم واحد
        [two] مفهومان
        [few] { $a } مفاهيم
        [many] { $a } مفهومًا
       *[other] { $a } مفهوم
    }
scheme = المخطط
notation = الترميز
label = التسمية
broader = الأعم
error = خطأ:
safe = محفوظ:
next = التالي:
just-now = الآن
ago = قبل { $a }
min = { $a } دقيقة
days = { $a } يوم
clock = الساعة
disk = القرص
daemon = الخدمة
peers-343 = النظراء
spaces-344 = الفضاءات
users = الحسابات
records-written = كُتب { $a } من ملفات السجلات، { $b }
not-written = لم يُكتب: { $a } من { $b }: { $c }
would-become-files-records = ستصير { $a } ملفات للسجلات
images-added-unchanged-not = الصور: أُضيفت { $a }، لم تتغير { $b }، لم تُضف { $c }
would-be-written-to = سيُكتب في { $a }: { $b }
written-to = كُتب في { $a }: { $b }
last-change = آخر تعديل
changes = التعديلات
heads = الرؤوس
this-node-in-brackets = (هذه العقدة)
card-not-held = (البطاقة غير موجودة)
since-it-came = منذ مجيئها
try-fewer-words = كلمات أقل
try-words = كلمات بدل عبارة
try-beginning = بداية كلمة (`harb*`)
try-no-language = من دون --lang
try-fewer-filters = مرشِّحات أقل
comma-or = ، أو
