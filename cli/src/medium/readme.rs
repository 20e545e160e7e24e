//! What a finder reads. It says what to do with the medium and nothing about whose it is.

/// Its file.
pub(super) const NAME: &str = "README.txt";

/// The same in every pouch.
pub(super) const TEXT: &str = "\
ENGLISH
These files are sealed and cannot be opened by anyone who finds them. Please do not copy, change or delete them.
Give the medium to the nearest police station, or put it back where you found it.

FRANÇAIS
Ces fichiers sont scellés ; celui qui les trouve ne peut pas les ouvrir. Merci de ne pas les copier, modifier ni effacer.
Remettez ce support au poste de police le plus proche, ou laissez-le là où vous l'avez trouvé.

ESPAÑOL
Estos archivos están sellados y quien los encuentre no puede abrirlos. No los copie, modifique ni borre.
Entregue este soporte en la comisaría de policía más cercana o déjelo donde lo encontró.

PORTUGUÊS
Estes ficheiros estão selados e quem os encontrar não os pode abrir. Não os copie, altere nem apague.
Entregue este suporte na esquadra de polícia mais próxima ou deixe-o onde o encontrou.

العربية
هذه الملفات مختومة ولا يمكن لمن يجدها فتحها. يرجى عدم نسخها أو تعديلها أو حذفها.
سلّم هذه الوسيطة إلى أقرب مركز شرطة، أو أعدها إلى حيث وجدتها.
";
