//! The numeric replies that this server sends, by their documented names.
//!
//! Shows: one constant a numeric; where the documents give it a fixed text as
//! the last parameter, the text is here and nowhere else.
//! Leaves out: the parameters between the client's nick and that text, which
//! whoever sends the numeric adds in the documented order.
//!
//! Source: <https://modern.ircdocs.horse/#numerics>, RFC 2812 section 5; for 335
//! and 354 the IRCv3 specifications of bot mode and WHOX; 416 is of `IRCnet`.

/// A numeric reply: three digits, and the fixed last parameter if it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric {
    pub(super) code: &'static str,
    /// Empty when the last parameter is different every time.
    pub(super) text: &'static str,
}

const fn numeric(code: &'static str, text: &'static str) -> Numeric {
    Numeric { code, text }
}

pub(super) const RPL_WELCOME: Numeric = numeric("001", "");
pub(super) const RPL_YOURHOST: Numeric = numeric("002", "");
pub(super) const RPL_CREATED: Numeric = numeric("003", "");
pub(super) const RPL_MYINFO: Numeric = numeric("004", "");
pub(super) const RPL_ISUPPORT: Numeric = numeric("005", "are supported by this server");

pub(super) const RPL_ENDOFSTATS: Numeric = numeric("219", "End of /STATS report");
pub(super) const RPL_UMODEIS: Numeric = numeric("221", "");
pub(super) const RPL_STATSUPTIME: Numeric = numeric("242", "");
pub(super) const RPL_STATSDEBUG: Numeric = numeric("249", "");
pub(super) const RPL_LUSERCLIENT: Numeric = numeric("251", "");
pub(super) const RPL_LUSEROP: Numeric = numeric("252", "operator(s) online");
pub(super) const RPL_LUSERUNKNOWN: Numeric = numeric("253", "unknown connection(s)");
pub(super) const RPL_LUSERCHANNELS: Numeric = numeric("254", "channels formed");
pub(super) const RPL_LUSERME: Numeric = numeric("255", "");
pub(super) const RPL_ADMINME: Numeric = numeric("256", "Administrative info");
pub(super) const RPL_ADMINLOC1: Numeric = numeric("257", "");
pub(super) const RPL_ADMINLOC2: Numeric = numeric("258", "");
pub(super) const RPL_ADMINEMAIL: Numeric = numeric("259", "");
pub(super) const RPL_LOCALUSERS: Numeric = numeric("265", "");
pub(super) const RPL_GLOBALUSERS: Numeric = numeric("266", "");

pub(super) const RPL_AWAY: Numeric = numeric("301", "");
pub(super) const RPL_USERHOST: Numeric = numeric("302", "");
pub(super) const RPL_ISON: Numeric = numeric("303", "");
pub(super) const RPL_UNAWAY: Numeric = numeric("305", "You are no longer marked as being away");
pub(super) const RPL_NOWAWAY: Numeric = numeric("306", "You have been marked as being away");
pub(super) const RPL_WHOISUSER: Numeric = numeric("311", "");
pub(super) const RPL_WHOISSERVER: Numeric = numeric("312", "");
pub(super) const RPL_WHOISOPERATOR: Numeric = numeric("313", "is an IRC operator");
pub(super) const RPL_WHOWASUSER: Numeric = numeric("314", "");
pub(super) const RPL_ENDOFWHO: Numeric = numeric("315", "End of WHO list");
pub(super) const RPL_WHOISIDLE: Numeric = numeric("317", "seconds idle, signon time");
pub(super) const RPL_ENDOFWHOIS: Numeric = numeric("318", "End of /WHOIS list");
pub(super) const RPL_WHOISCHANNELS: Numeric = numeric("319", "");
pub(super) const RPL_LISTSTART: Numeric = numeric("321", "Users  Name");
pub(super) const RPL_LIST: Numeric = numeric("322", "");
pub(super) const RPL_LISTEND: Numeric = numeric("323", "End of /LIST");
pub(super) const RPL_CHANNELMODEIS: Numeric = numeric("324", "");
pub(super) const RPL_CREATIONTIME: Numeric = numeric("329", "");
pub(super) const RPL_NOTOPIC: Numeric = numeric("331", "No topic is set");
pub(super) const RPL_TOPIC: Numeric = numeric("332", "");
pub(super) const RPL_TOPICWHOTIME: Numeric = numeric("333", "");
pub(super) const RPL_WHOISBOT: Numeric = numeric("335", "is a bot");
pub(super) const RPL_INVITELIST: Numeric = numeric("336", "");
pub(super) const RPL_ENDOFINVITELIST: Numeric = numeric("337", "End of /INVITE list");
pub(super) const RPL_INVITING: Numeric = numeric("341", "");
pub(super) const RPL_INVEXLIST: Numeric = numeric("346", "");
pub(super) const RPL_ENDOFINVEXLIST: Numeric =
    numeric("347", "End of channel invite exception list");
pub(super) const RPL_EXCEPTLIST: Numeric = numeric("348", "");
pub(super) const RPL_ENDOFEXCEPTLIST: Numeric = numeric("349", "End of channel exception list");
pub(super) const RPL_VERSION: Numeric = numeric("351", "");
pub(super) const RPL_WHOREPLY: Numeric = numeric("352", "");
pub(super) const RPL_NAMREPLY: Numeric = numeric("353", "");
pub(super) const RPL_WHOSPCRPL: Numeric = numeric("354", "");
pub(super) const RPL_LINKS: Numeric = numeric("364", "");
pub(super) const RPL_ENDOFLINKS: Numeric = numeric("365", "End of /LINKS list");
pub(super) const RPL_ENDOFNAMES: Numeric = numeric("366", "End of /NAMES list");
pub(super) const RPL_BANLIST: Numeric = numeric("367", "");
pub(super) const RPL_ENDOFBANLIST: Numeric = numeric("368", "End of channel ban list");
pub(super) const RPL_ENDOFWHOWAS: Numeric = numeric("369", "End of WHOWAS");
pub(super) const RPL_INFO: Numeric = numeric("371", "");
pub(super) const RPL_MOTD: Numeric = numeric("372", "");
pub(super) const RPL_ENDOFINFO: Numeric = numeric("374", "End of INFO list");
pub(super) const RPL_MOTDSTART: Numeric = numeric("375", "");
pub(super) const RPL_ENDOFMOTD: Numeric = numeric("376", "End of /MOTD command.");
pub(super) const RPL_YOUREOPER: Numeric = numeric("381", "You are now an IRC operator");
pub(super) const RPL_TIME: Numeric = numeric("391", "");

pub(super) const ERR_NOSUCHNICK: Numeric = numeric("401", "No such nick/channel");
pub(super) const ERR_NOSUCHSERVER: Numeric = numeric("402", "No such server");
pub(super) const ERR_NOSUCHCHANNEL: Numeric = numeric("403", "No such channel");
pub(super) const ERR_CANNOTSENDTOCHAN: Numeric = numeric("404", "Cannot send to channel");
pub(super) const ERR_TOOMANYCHANNELS: Numeric = numeric("405", "You have joined too many channels");
pub(super) const ERR_WASNOSUCHNICK: Numeric = numeric("406", "There was no such nickname");
pub(super) const ERR_TOOMANYTARGETS: Numeric =
    numeric("407", "Too many targets, the rest is ignored");
pub(super) const ERR_NOORIGIN: Numeric = numeric("409", "No origin specified");
pub(super) const ERR_INVALIDCAPCMD: Numeric = numeric("410", "Invalid CAP command");
pub(super) const ERR_NORECIPIENT: Numeric = numeric("411", "");
pub(super) const ERR_NOTEXTTOSEND: Numeric = numeric("412", "No text to send");
pub(super) const ERR_TOOMANYMATCHES: Numeric = numeric("416", "");
pub(super) const ERR_INPUTTOOLONG: Numeric = numeric("417", "Input line was too long");
pub(super) const ERR_UNKNOWNCOMMAND: Numeric = numeric("421", "Unknown command");
pub(super) const ERR_NOMOTD: Numeric = numeric("422", "MOTD File is missing");
pub(super) const ERR_NOADMININFO: Numeric = numeric("423", "No administrative info available");
pub(super) const ERR_NONICKNAMEGIVEN: Numeric = numeric("431", "No nickname given");
pub(super) const ERR_ERRONEUSNICKNAME: Numeric = numeric("432", "Erroneous nickname");
pub(super) const ERR_NICKNAMEINUSE: Numeric = numeric("433", "Nickname is already in use");
pub(super) const ERR_UNAVAILRESOURCE: Numeric =
    numeric("437", "Nick/channel is temporarily unavailable");
pub(super) const ERR_USERNOTINCHANNEL: Numeric = numeric("441", "They aren't on that channel");
pub(super) const ERR_NOTONCHANNEL: Numeric = numeric("442", "You're not on that channel");
pub(super) const ERR_USERONCHANNEL: Numeric = numeric("443", "is already on channel");
pub(super) const ERR_NOTREGISTERED: Numeric = numeric("451", "You have not registered");
pub(super) const ERR_NEEDMOREPARAMS: Numeric = numeric("461", "Not enough parameters");
pub(super) const ERR_ALREADYREGISTERED: Numeric = numeric("462", "You may not reregister");
pub(super) const ERR_PASSWDMISMATCH: Numeric = numeric("464", "Password incorrect");
pub(super) const ERR_INVALIDUSERNAME: Numeric = numeric("468", "Your username is not valid");
pub(super) const ERR_CHANNELISFULL: Numeric = numeric("471", "Cannot join channel (+l)");
pub(super) const ERR_UNKNOWNMODE: Numeric = numeric("472", "is unknown mode char to me");
pub(super) const ERR_INVITEONLYCHAN: Numeric = numeric("473", "Cannot join channel (+i)");
pub(super) const ERR_BANNEDFROMCHAN: Numeric = numeric("474", "Cannot join channel (+b)");
pub(super) const ERR_BADCHANNELKEY: Numeric = numeric("475", "Cannot join channel (+k)");
pub(super) const ERR_BADCHANMASK: Numeric = numeric("476", "Bad Channel Mask");
pub(super) const ERR_BANLISTFULL: Numeric = numeric("478", "");
pub(super) const ERR_NOPRIVILEGES: Numeric =
    numeric("481", "Permission Denied- You're not an IRC operator");
pub(super) const ERR_CHANOPRIVSNEEDED: Numeric = numeric("482", "You're not channel operator");
pub(super) const ERR_CANTKILLSERVER: Numeric = numeric("483", "You cant kill a server!");
pub(super) const ERR_NOOPERHOST: Numeric = numeric("491", "No O-lines for your host");
pub(super) const ERR_UMODEUNKNOWNFLAG: Numeric = numeric("501", "Unknown MODE flag");
pub(super) const ERR_USERSDONTMATCH: Numeric = numeric("502", "Cant change mode for other users");
pub(super) const ERR_HELPNOTFOUND: Numeric = numeric("524", "No help available on this topic");
pub(super) const ERR_INVALIDKEY: Numeric = numeric("525", "Key is not well-formed");
pub(super) const ERR_INVALIDMODEPARAM: Numeric = numeric("696", "");
pub(super) const RPL_HELPSTART: Numeric = numeric("704", "");
pub(super) const RPL_HELPTXT: Numeric = numeric("705", "");
pub(super) const RPL_ENDOFHELP: Numeric = numeric("706", "");
