//! A customer on `WeChat`: the platform's XML for a message, plain or in safe mode, signed with the account's token.
//!
//! In safe mode only the envelope travels, as the platform does it; compatible mode is not played.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_channels::wechat::{AesKey, encrypt, sign};
use colloquy_domain::Timestamp;

use super::{Kind, Webhook, Written, seconds};
use crate::sandbox::{SimulatedInbox, random};

/// The account's own id, which follows from nothing we are told; any will do.
const ACCOUNT: &str = "gh_7f083739789a";
const MEDIA: &str = "media_id_of_the_sandbox";

/// The webhook for one message.
pub(super) fn message(inbox: &SimulatedInbox, written: &Written, at: Timestamp) -> Result<Webhook, String> {
    let id = (u64::from_be_bytes(random::<8>()) >> 1).to_string();
    let xml = format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>{}<MsgId>{id}</MsgId></xml>",
        cdata(ACCOUNT),
        cdata(&written.from),
        seconds(at),
        content(written),
    );
    let (token, timestamp) = (inbox.setting("token"), seconds(at));
    let nonce = u32::from_be_bytes(random::<4>()).to_string();
    let openid: String = form_urlencoded::byte_serialize(written.from.as_bytes()).collect();
    let signature = sign(token, &timestamp, &nonce, None);
    let mut query = format!("?signature={signature}&timestamp={timestamp}&nonce={nonce}&openid={openid}");
    let mut body = xml;
    let key = inbox.setting("encoding_aes_key");
    if !key.is_empty() {
        let key = AesKey::read(key).ok_or("the inbox's encoding_aes_key is not a key")?;
        let sealed = encrypt(&key, letters(), body.as_bytes(), inbox.setting("app_id"));
        let signature = sign(token, &timestamp, &nonce, Some(&sealed));
        query.push_str(&format!("&encrypt_type=aes&msg_signature={signature}"));
        body = format!("<xml><ToUserName>{}</ToUserName><Encrypt>{}</Encrypt></xml>", cdata(ACCOUNT), cdata(&sealed));
    }
    Ok(Webhook { query, headers: vec![("content-type", "text/xml".to_owned())], body, id })
}

fn content(written: &Written) -> String {
    let media =
        |kind: &str, more: &str| format!("<MsgType>{}</MsgType><MediaId>{}</MediaId>{more}", cdata(kind), cdata(MEDIA));
    match written.kind {
        Kind::Text => format!("<MsgType>{}</MsgType><Content>{}</Content>", cdata("text"), cdata(&written.text)),
        Kind::Image => media("image", "<PicUrl><![CDATA[https://mmbiz.qpic.cn/mmbiz_jpg/sandbox/0]]></PicUrl>"),
        Kind::Audio => media("voice", "<Format><![CDATA[amr]]></Format>"),
        Kind::Video => media("video", "<ThumbMediaId><![CDATA[thumb_of_the_sandbox]]></ThumbMediaId>"),
        Kind::Location => format!(
            "<MsgType>{}</MsgType><Location_X>31.2304</Location_X><Location_Y>121.4737</Location_Y><Scale>20</Scale>\
             <Label>{}</Label>",
            cdata("location"),
            cdata("上海市黄浦区外滩"),
        ),
        Kind::File => format!(
            "<MsgType>{}</MsgType><Title>{}</Title><Description></Description><FileKey>{}</FileKey>",
            cdata("file"),
            cdata("receipt.pdf"),
            cdata(MEDIA),
        ),
        Kind::Sticker | Kind::Unsupported => {
            format!(
                "<MsgType>{}</MsgType><Content>{}</Content>",
                cdata("sticker"),
                cdata("[收到不支持的消息类型，暂无法显示]")
            )
        }
    }
}

/// A text as XML character data, whatever is in it.
fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The 16 characters that safe mode puts before a message.
fn letters() -> [u8; 16] {
    let text = URL_SAFE_NO_PAD.encode(random::<12>());
    let mut letters = [b'A'; 16];
    letters.iter_mut().zip(text.bytes()).for_each(|(letter, byte)| *letter = byte);
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_the_end_of_cdata_in_it_arrives_whole() {
        assert_eq!(cdata("a]]>b"), "<![CDATA[a]]]]><![CDATA[>b]]>");
    }
}
