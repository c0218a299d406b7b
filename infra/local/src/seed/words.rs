//! What the demo shop's customers wrote and were told. Made up; nobody's words.

/// A customer's question, the agent's first answer, the customer's thanks, the agent's last words, and the outcome.
pub(crate) struct Exchange {
    pub(crate) language: &'static str,
    pub(crate) lines: [&'static str; 4],
    pub(crate) disposition: &'static str,
}

const fn exchange(language: &'static str, lines: [&'static str; 4], disposition: &'static str) -> Exchange {
    Exchange { language, lines, disposition }
}

/// The shop's common questions.
pub(crate) const EXCHANGES: [Exchange; 12] = [
    exchange(
        "en",
        [
            "Hi, where is my order? It should have come on Monday.",
            "Hello! Let me look. Your parcel left our warehouse yesterday and arrives tomorrow.",
            "Great, thank you!",
            "You are welcome. Have a good day!",
        ],
        "answered",
    ),
    exchange(
        "en",
        [
            "The blue jacket is too small. Can I exchange it for a large one?",
            "Of course. I have sent you a return label; the large one leaves as soon as yours is on its way.",
            "Perfect, thanks a lot",
            "Glad to help!",
        ],
        "refunded",
    ),
    exchange(
        "en",
        [
            "I was charged twice for the same order",
            "I am sorry about that. I can see both charges and have returned one; it takes three to five days.",
            "ok thanks",
            "Thank you for telling us.",
        ],
        "solved",
    ),
    exchange(
        "zh",
        [
            "你好，我的包裹怎么还没到？",
            "您好！我查了一下，包裹已经到您所在的城市，预计明天送达。",
            "好的，谢谢",
            "不客气，祝您生活愉快！",
        ],
        "answered",
    ),
    exchange(
        "zh",
        [
            "可以开发票吗？公司报销用",
            "可以的，请把抬头和税号发给我，今天就给您开电子发票。",
            "已经发了，麻烦您",
            "收到，电子发票已发到您的邮箱。",
        ],
        "solved",
    ),
    exchange(
        "zh",
        [
            "我想退货，衣服颜色和图片不一样",
            "非常抱歉。我已经为您申请退货，快递员明天上门取件。",
            "谢谢，辛苦了",
            "应该的，退款会在收到货后三天内到账。",
        ],
        "refunded",
    ),
    exchange(
        "de",
        [
            "Guten Tag, kann ich die Lieferadresse noch ändern?",
            "Guten Tag! Ja, das Paket ist noch hier. Wie lautet die neue Adresse?",
            "Danke, das hat geklappt",
            "Sehr gern, einen schönen Tag noch!",
        ],
        "solved",
    ),
    exchange(
        "de",
        [
            "Wie lange dauert der Versand nach Österreich?",
            "Nach Österreich sind es zwei bis vier Werktage.",
            "Alles klar, danke",
            "Gern geschehen!",
        ],
        "answered",
    ),
    exchange(
        "es",
        [
            "Hola, ¿puedo cancelar mi pedido?",
            "Hola, claro. Lo acabo de cancelar y el dinero vuelve en tres días.",
            "Muchas gracias",
            "¡A usted! Que tenga un buen día.",
        ],
        "solved",
    ),
    exchange(
        "es",
        [
            "¿Dónde está mi reembolso? Ya pasó una semana.",
            "Lo siento por la espera. El banco lo recibió ayer, mañana lo verá en su cuenta.",
            "Perfecto, gracias",
            "Gracias por su paciencia.",
        ],
        "answered",
    ),
    exchange(
        "fr",
        [
            "Bonjour, mon code de réduction ne marche pas",
            "Bonjour ! Le code était expiré, je vous en envoie un nouveau.",
            "Super, merci beaucoup",
            "Avec plaisir, bonne journée !",
        ],
        "answered",
    ),
    exchange(
        "ja",
        [
            "注文した靴のサイズを変更できますか？",
            "はい、発送前ですので変更できます。ご希望のサイズを教えてください。",
            "ありがとうございます",
            "変更いたしました。またのご利用をお待ちしております。",
        ],
        "solved",
    ),
];

/// Customers' names, as channels show them, and what they speak.
pub(crate) const NAMES: [(&str, &str); 20] = [
    ("Wang Fang", "zh"),
    ("Emma Clark", "en"),
    ("李娜", "zh"),
    ("Lukas Braun", "de"),
    ("Sofía Díaz", "es"),
    ("张伟", "zh"),
    ("Noah Smith", "en"),
    ("Camille Martin", "fr"),
    ("田中 陽子", "ja"),
    ("Olivia Brown", "en"),
    ("刘洋", "zh"),
    ("Mia Wagner", "de"),
    ("Diego Ruiz", "es"),
    ("陈静", "zh"),
    ("James Lee", "en"),
    ("Léa Bernard", "fr"),
    ("佐藤 健", "ja"),
    ("Ava Jones", "en"),
    ("Felix Koch", "de"),
    ("Lucía Gómez", "es"),
];
