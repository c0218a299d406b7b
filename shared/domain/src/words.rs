//! What the bot says when it hands over, in the customer's language.
//!
//! Not the bot's answers: those come with its flows.

/// The greeting that goes with a handoff to people, in `language` (BCP 47), or in English where we have no words.
#[must_use]
pub fn greeting(language: &str) -> &'static str {
    match language.split('-').next().unwrap_or_default() {
        "zh" => "您好！您的消息我们已经收到，正在为您转接人工客服，请稍候。",
        "de" => "Hallo! Ihre Nachricht ist angekommen. Ich verbinde Sie mit unserem Team, bitte einen Moment Geduld.",
        "es" => "¡Hola! Hemos recibido su mensaje. Le paso con nuestro equipo, un momento por favor.",
        "fr" => {
            "Bonjour ! Votre message est bien arrivé. Je vous mets en relation avec notre équipe, un instant s'il vous plaît."
        }
        "it" => {
            "Salve! Abbiamo ricevuto il suo messaggio. La metto in contatto con il nostro team, un momento per favore."
        }
        "pt" => "Olá! Recebemos a sua mensagem. Vou passar você para a nossa equipe, um momento, por favor.",
        "nl" => "Hallo! We hebben uw bericht ontvangen. Ik verbind u door met ons team, een ogenblik geduld.",
        "pl" => "Dzień dobry! Otrzymaliśmy Twoją wiadomość. Łączę z naszym zespołem, proszę o chwilę cierpliwości.",
        "ru" => "Здравствуйте! Мы получили ваше сообщение. Соединяю вас с нашей командой, подождите немного.",
        "tr" => "Merhaba! Mesajınızı aldık. Sizi ekibimize bağlıyorum, lütfen biraz bekleyin.",
        "ja" => "こんにちは。メッセージを受け取りました。担当者におつなぎしますので、少々お待ちください。",
        "ko" => "안녕하세요! 메시지를 잘 받았습니다. 상담원에게 연결해 드리겠습니다. 잠시만 기다려 주세요.",
        "ar" => "مرحبًا! لقد وصلتنا رسالتك. سأحوّلك الآن إلى فريقنا، لحظة من فضلك.",
        "th" => "สวัสดีค่ะ เราได้รับข้อความของคุณแล้ว กำลังโอนสายให้ทีมงานของเรา กรุณารอสักครู่",
        "vi" => {
            "Xin chào! Chúng tôi đã nhận được tin nhắn của bạn. Tôi sẽ chuyển bạn đến đội ngũ hỗ trợ, vui lòng chờ trong giây lát."
        }
        "hi" => "नमस्ते! आपका संदेश हमें मिल गया है। मैं आपको हमारी टीम से जोड़ रहा हूँ, कृपया थोड़ी प्रतीक्षा करें।",
        _ => "Hello! We have your message. I am passing you on to our team, one moment please.",
    }
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn a_customer_is_greeted_in_their_language_or_in_english() {
        assert!(greeting("zh-TW").starts_with("您好"));
        assert!(greeting("de").starts_with("Hallo"));
        assert_eq!(greeting("und"), greeting("en"));
    }
}
