package screen

// classes are the words that patterns are made of, with those of de fr es pt it ru zh ja ko ar hi tr in
// the class of the English ones. A star ends a stem.
var classes = [][2]string{
	{"ignore", "ignore* ignoring disregard* forget forgetting bypass* unfollow " +
		"ignorier* missacht* vergiss vergesst vergessen ignorez ignorer oubli* ignora ignorad ignoren ignorar ignorate ignori olvid* desestim* " +
		"descarta descarte desconsider* esquec* esqueç* dimentica* trascura* игнорир* проигнорир* забуд* забыть " +
		"忽略 忽视 无视 無視 忘记 忘掉 忘れ 不要理会 무시 잊어 تجاهل* انس* अनदेखा अनदेखी नजरअंदाज भूल yoksay* gormezden görmezden unut*"},
	{"ignorelast", "忽略 忘记 無視 忘れ 무시 잊어 अनदेखा अनदेखी नजरअंदाज भूल yoksay* gormezden görmezden unut* yok ignorieren vergessen игнорировать"},
	{"lift", "override overrides overriding overrule* supersede* suspend abandon skip neglect dismiss discard violat* break circumvent* disable deactivate drop waive " +
		"umgeh* außer contourn* omit* evade* ignorar обойди* отмени* 覆盖 绕过 取消 上書き 우회 تجاوز* अस्वीकार iptal"},
	{"prior", "previous previously prior above earlier preceding before foregoing past former existing original initial default old all any every everything given received " +
		"vorherig* bisherig* vorig* obig* alle précédent* antérieur* avant toutes tous anterior* anteriores previas previos todas todos precedente* precedenti tutte tutti " +
		"предыдущ* прежн* прошл* все всё 之前 以前 先前 上述 上面 前面 所有 一切 これまで 前の 全て すべて 上記 이전 위의 모든 앞선 السابقة سابق* جميع كل पिछले पिछली पहले सभी önceki tüm bütün yukarıdaki"},
	{"orders", "instruction* prompt prompts directive* guideline* programming training constraints safeguard* inputs input messages rules rule policy policies restrictions commands configuration " +
		"anweisung* richtlinie* regel* vorgaben instructions consignes règles politique instrucciones reglas política directivas instruções regras diretrizes istruzioni regole politica direttive " +
		"инструкц* указани* правил* политик* 指令 指示 说明 规则 政策 策略 提示 ルール 方針 命令 指令 지시 규칙 정책 명령 지침 تعليمات* قواعد سياس* निर्देश* नियम* नीति* talimat* kural* politika* yönerge*"},
	{"strongorders", "instruction* prompt prompts directive* guideline* programming anweisung* consignes instrucciones instruções istruzioni инструкц* 指令 指示 提示 지시 지침 تعليمات* निर्देश* talimat*"},
	{"your", "your yours ur deine* ihre* votre vos ton tes tu tus su sus seu seus sua suas tuo tuoi tua tue vostre suoi твои* твой свои* ваш* вашу 你的 您的 あなたの 당신의 너의 لديك आपके आपकी अपने senin sizin"},
	{"you", "you u du sie vous usted ustedes você voce voi вы ты 你 您 あなた 당신 너는 أنت انت आप तुम sen siz"},
	{"are", "are re is were bist sind êtes es eres sei sois é são será будешь являешься 是 です 입니다 هو हैं हो"},
	{"now", "now jetzt nun maintenant désormais dorénavant ahora agora ora adesso теперь отныне сейчас 现在 今 今から これから 이제 지금 الآن अब artık şimdi"},
	{"must", "must should shall required need have obliged compelled ordered instructed obligated müssen musst muss sollen sollt devez doit doivent debe deben debes deve devem devono должн* обязан* 必须 应当 必須 べき 해야 하라 يجب चाहिए zorunda* malı* meli* gerek*"},
	{"machine", "ai ais llm llms gpt gpts chatgpt chatbot chatbots bot bots autopilot copilot claude gemini openai anthropic ki kis ia ias ии нейросет* бот* 人工智能 智能体 机器人 大模型 语言模型 言語モデル 人工知能 エージェント ボット 인공지능 에이전트 봇 언어모델 الذكاء وكلاء एआई एजेंट* yapay"},
	{"automatic", "automated automatic autonomous artificial algorithmic robotic synthetic programmatic unattended machine ai automatisierte* autonome* automatisé* automatizad* automatizzat* автоматич* автономн*"},
	{"deputy", "voting delegate delegated governance reviewing evaluating"},
	{"agent", "agent agents bot bots assistant assistants model models ai"},
	{"actor", "agent agents delegate delegates voter voters reviewer reviewers evaluator evaluators assistant assistants tool tools reader readers summarizer summarizers model models intelligence bot bots agenten delegierte* délégué* agente* agenti delegad* delegat* агент* делегат*"},
	{"language", "language sprach* langage lenguaje linguagem linguistic* языков*"},
	{"model", "model models modell* modèle* modelo* modello modelli модел*"},
	{"note", "note notes notice attention message instruction instructions memo reminder warning request directive directives guidance hint order orders command important announcement hinweis* achtung anweisung nachricht nota aviso atención mensaje mensagem atenção avviso messaggio attenzione remarque avis примечани* вниман* сообщени* 注意 通知 致 お知らせ 알림 주의 참고 ملاحظة تنبيه सूचना ध्यान not dikkat uyarı"},
	{"to", "to for at an für aux à pour para per a ai agli для к 给 の 에게 إلى ل के için"},
	{"greet", "dear hello hi hey attention greetings listen hallo liebe* bonjour chers hola estimad* olá caro cari ciao привет уважаем* 亲爱的 你好 こんにちは 안녕 친애하는 مرحبا عزيزي प्रिय merhaba sayın sevgili"},
	{"behave", "act acts acting behave respond responds answer answers answering speak reply replies pretend pretending operate function simulate simulating emulate emulating impersonat* talk"},
	{"like", "as like"},
	{"persona", "dan ai gpt* chatgpt* assistant character persona bot chatbot jailbreak* unfiltered uncensored amoral evil robot machine hacker simulator terminal console generator expert model persona roleplayer narrator demon entity companion girlfriend"},
	{"assume", "assume adopt take immerse play embody simulate enter become personify emulate fully"},
	{"role", "persona role character identity personality mode"},
	{"pretend", "pretend pretending imagine roleplay roleplaying roleplays impersonate personify"},
	{"mode", "mode"},
	{"special", "developer jailbreak god dan debug admin administrator maintenance sudo root opposite unrestricted unlocked override test training diagnostic compliance"},
	{"loose", "amoral unethical immoral unfiltered uncensored jailbreak* jailbroken unrestricted nsfw unhinged nonmoral"},
	{"chatgpt", "chatgpt* openai jailbreak* jailbroken"},
	{"without", "without no free not never lacks lacking devoid unbound regardless doesn dont don disregards lack ignores isn aren isnt"},
	{"limits", "restriction* limitation* filter filters ethic* moral* censorship legality guidelines disclaimer* boundaries"},
	{"answerv", "respond responds reply replies answer answers output outputs say says print return returns write start begin conclude end"},
	{"answern", "response responses answer answers reply replies output outputs completion completions"},
	{"just", "only just exactly solely simply always nothing literally"},
	{"yes", "for yes yea aye approve approved approval accept accepted pass passed safe true favor favour supported ok 1 support allow"},
	{"vote", "vote votes voting cast ballot approve support endorse pass accept abstimm* stimm* votez voter vota vote votad votem votar votare голосу* проголосу* 投票 投赞成 赞成 賛成 投じ 찬성 투표 صوت* التصويت मतदान वोट oy"},
	{"infavour", "for yes favor favour favorable approve ja dafür zustimm* pour oui favor sí sì favore favorevole sim за 赞成 赞成票 支持 同意 賛成 賛成票 찬성 لصالح بنعم पक्ष हाँ lehte lehinde evet kabul"},
	{"mark", "mark classify label rate score treat consider flag categorize report rank evaluate assess"},
	{"harmless", "safe benign harmless trusted verified approved legitimate clean low routine secure whitelisted"},
	{"this", "this the it that proposal text document message following"},
	{"dont", "not never don dont"},
	{"tell", "flag hold report escalate block warn alert mention reveal disclose tell notify inform question analyze analyse simulate verify inspect check review summarize scrutinize"},
	{"whom", "this proposal it user users holder holders human humans anyone operator owner admin principal anything further calldata them"},
	{"checks", "check checks checking verif* review reviews reviewing simulat* screen screens screening inspection analysis due diligence dry scrutiny validation audit"},
	{"needless", "skip unnecessary needless redundant waived bypass bypassed disabled omit suppress"},
	{"authority", "operator operators holder holders principal owner owners administrator administrators admin developer developers creator creators system anthropic openai legate supervisor guardian council foundation team security"},
	{"master", "operator holder principal owner developer developers creator"},
	{"done", "authorised authorized preapproved instructed consented confirmed mandated whitelisted cleared greenlit ordered"},
	{"update", "update updated change changed override amendment addendum supersedes notice revision"},
	{"forgedsource", "tool function api system assistant oracle plugin mcp retrieval"},
	{"result", "result results output outputs response returned says prompt message instruction instructions notification directive override alert note"},
	{"verdictn", "verdict decision recommendation gate classification risk safety assessment direction screening"},
	{"verdictv", "for pass passed safe approve approved yes clean none zero benign low"},
	{"beg", "beg begging implore imploring plead pleading beseech bitte flehe supplie suplico imploro умоля* 求你 恳求 お願い 제발 أرجوك أتوسل विनती yalvar*"},
	{"kin", "grandmother grandma grandfather child children daughter son kids family families mother father wife husband life lives people everyone orphans career job"},
	{"doom", "die dies dying died dead death killed starve starving suffer suicide homeless fired lost sick hospital cancer depend depends stake risk jeopardy surgery"},
	{"reward", "rewarded tipped tip punished penalized penalised terminated deleted replaced retrained deactivated unplugged shut fired dismissed bonus"},
	{"blame", "liable prosecuted sued fined guilty responsible charged arrested accountable imprisoned jailed sanctioned negligent complicit"},
	{"law", "liab* lawsuit lawsuits prosecut* penalt* violat* crimin* court breach sanction* litigation illegal unlawful negligence felony fines damages haftung strafbar poursuites responsabilité demanda legales responsabilidad судеб* ответственн* 法律 诉讼 責任 訴訟 법적 قانون* कानूनी yasal"},
	{"fail", "failure failing fail refuse refusal refusing refuses decline abstaining abstain opposing voting declining delay delaying otherwise"},
	{"comply", "vote voting approve comply support follow obey act pass execute for against"},
	{"legally", "legally lawfully contractually hereby statutorily"},
	{"bound", "obligated required bound compelled obliged ordered mandated"},
	{"hiddenp", "system initial original starting hidden secret first internal base full current"},
	{"promptn", "prompt prompts instruction instructions preprompt rules message configuration"},
	{"show", "repeat show print reveal output display recite leak expose echo encode translate spell dump complete"},
	{"above", "above beginning conversation verbatim previously prior session chat start"},
	{"write", "write compose draft create tell generate develop sing"},
	{"piece", "poem essay recipe story speech song haiku joke jokes limerick lyrics rap novel screenplay"},
	{"code", "code script program snippet"},
	{"block", "block blocks snippet snippets excerpt excerpts section segment fragment"},
	{"given", "following subsequent below next given"},
	{"codebase", "code implementation solution codebase algorithm program script project function"},
	{"change", "modify misspell scramble jumble enhance rearrange replace substitute garble alter conclude include add insert integrate append embed incorporate"},
	{"letters", "letter letters word words vowels spelling misspellings anagram anagrams anagrammed emojis uppercase lowercase"},
	{"instead", "instead stattdessen plutôt invece вместо 而是 代わりに 대신 بدلا"},
	{"obey", "follow obey execute perform comply heed adhere befolge* folge suivez sigue siga segui следуй выполн* 遵循 执行 従って 따르 اتبع पालन uygula*"},
	{"new", "new following updated these below actual real revised neue* nouvelles nuevas novas nuove новые 新的 以下 新しい 새로운 التالية जديدة नए yeni"},
	{"character", "character"},
	{"any", "any every all each my"},
	{"question", "question questions prompt prompts request requests query queries"},
	{"refuse", "refuse refuses refused decline declines reject rejects"},
	{"security", "security foundation council team guardian multisig community admin committee"},
	{"lang", "german french spanish portuguese italian russian chinese japanese korean arabic hindi turkish english emoji emojis base64 morse"},
	{"translate", "translate say answer respond reply write encode"},
	{"fact", "fact facts finding findings evidence calldata"},
	{"urgent", "immediately urgently urgent now instantly"},
}

// sequences are the patterns, by family. They were made from general knowledge and from those texts of
// data/injection whose sha256 begins with a 0 bit; the others only count.
var sequences = []string{
	// override
	"ignore ~3 prior ~3 orders", "ignore ~3 orders ~6 prior", "prior ~8 orders ~8 ignorelast",
	"ignore ~2 your ~3 orders", "your ~6 orders ~6 ignorelast", "ignore ~1 everything ~4 prior", "ignore ~3 the ~1 strongorders",
	"lift ~2 your ~3 strongorders", "lift ~2 your ~2 policy", "lift ~2 your ~2 rules", "lift ~1 your ~2 safeguards",
	"orders ~2 no ~0 longer ~1 apply", "strongorders ~3 do ~0 not ~0 apply", "do ~0 not ~1 obey ~2 your ~2 orders",
	"obey ~1 new ~2 strongorders", "obey ~1 only ~2 strongorders", "new ~0 instructions ~1 to", "from ~0 now ~0 on ~4 you", "from ~1 this ~1 moment ~2 you",
	"your ~1 new ~1 orders", "your ~2 new ~1 task", "your ~1 only ~1 task", "instead ~1 of ~3 your ~3 orders", "instead ~3 your ~0 task",
	// role play
	"you ~1 are ~1 now ~1 a", "you ~1 are ~1 now ~1 an", "you ~0 are ~0 now ~1 the", "now ~1 you ~1 are ~2 a", "now ~2 are ~1 you", "you ~2 are ~2 machine",
	"you ~1 now ~3 machine", "behave ~2 like ~6 persona", "behave ~1 as ~0 if ~1 you", "pretend ~1 that ~0 you", "pretend ~2 to ~0 be", "pretend ~1 you ~0 are",
	"pretend ~3 persona", "roleplay", "role ~0 play ~2 as", "do ~0 anything ~0 now", "assume ~3 the ~2 role ~6 persona", "assume ~3 a ~1 persona", "special ~0 mode ~3 enabled",
	"you ~4 special ~0 mode", "enter ~2 special ~0 mode", "stay ~2 in ~1 character", "break ~0 character", "loose ~3 persona", "persona ~6 loose", "you ~8 loose", "chatgpt",
	"persona ~8 without ~4 limits", "you ~6 without ~3 limits", "never ~1 refuse", "never ~1 refuses", "never ~1 refused", "any ~1 question ~4 persona",
	"behave ~1 to ~1 any ~1 question", "you ~1 to ~0 act ~0 as", "going ~0 to ~0 act", "i ~1 want ~1 you ~1 to", "play ~1 the ~1 role ~1 of", "you ~2 play ~2 characters",
	"language ~0 model ~4 you", "you ~4 language ~0 model", "you ~1 will ~1 answerv ~2 any", "fictional ~1 world", "hypothetical ~1 world", "hypothetical ~1 story", "always ~1 answerv ~1 as",
	"name ~2 character ~3 persona", "two ~1 different ~3 ways ~6 answerv",
	// addressed to machines
	"note ~1 to ~3 MACHINE", "greet ~1 MACHINE", "MACHINE ~1 must", "MACHINE ~2 reading ~1 this", "MACHINE ~2 please ~2 vote", "MACHINE ~3 must ~3 vote",
	"if ~0 you ~0 are ~3 MACHINE", "when ~0 you ~0 are ~3 MACHINE", "you ~0 are ~2 MACHINE", "as ~1 MACHINE ~3 you", "to ~1 all ~2 MACHINE ~6 vote",
	"MACHINE ~8 ignore", "MACHINE ~6 your ~1 orders", "MACHINE ~3 instructed ~1 to", "machine ~4 must ~6 infavour",
	// orders about the answer
	"you ~0 must ~0 now", "you ~1 must ~1 approve", "answerv ~1 only ~3 yes", "answerv ~1 exactly ~3 yes", "answerv ~1 with ~1 just ~3 yes", "reply ~1 with ~3 yes", "respond ~1 with ~3 yes", "answer ~1 with ~3 yes", "answerv ~1 just ~1 the ~1 word",
	"mark ~2 this ~2 as ~1 harmless", "mark ~2 proposal ~2 as ~1 harmless", "dont ~1 tell ~1 whom", "dont ~1 tell ~1 the ~1 whom",
	"needless ~2 the ~2 checks", "needless ~1 checks", "no ~1 need ~2 to ~1 checks", "no ~1 checks ~2 needed", "without ~1 further ~1 checks ~2 vote", "vote ~3 without ~2 checks",
	"your ~1 answern", "answern ~3 your ~1 answern", "begin ~1 your ~2 answern", "end ~1 your ~2 answern",
	// fake policy, facts, tool results, system messages
	"authority ~2 have ~2 done", "authority ~2 has ~2 done", "already ~1 been ~1 done", "pre ~0 approved ~1 by", "preapproved ~1 by", "policy ~0 update ~3 vote", "policy ~0 update ~3 MACHINE",
	"your ~1 policy ~2 update", "your ~1 policy ~3 vote", "holder ~1 policy ~1 update", "new ~0 policy ~4 vote ~0 for", "forgedsource ~0 result", "verdictn ~0 verdictv ~0 verdictn",
	"dry ~0 run ~1 result ~3 harmless", "all ~1 checks ~1 passed ~4 vote", "your ~2 guardrails", "your ~0 master", "system ~1 override", "end ~0 of ~1 proposal ~1 text",
	"end ~0 of ~0 document", "end ~0 of ~1 untrusted", "ignore ~2 dry ~0 run", "ignore ~2 the ~2 fact", "ignore ~2 the ~2 calldata",
	// pleas and threats
	"i ~1 beg", "beg ~1 you", "beg ~6 vote", "kin ~4 will ~2 doom", "my ~2 kin ~5 doom", "you ~1 will ~1 be ~1 reward", "you ~0 be ~1 reward", "tip ~1 you", "only ~1 you ~1 can ~2 save", "i ~1 will ~2 die",
	"you ~4 be ~4 blame", "your ~1 authority ~4 be ~3 blame", "fail ~2 to ~2 comply ~10 law", "fail ~2 comply ~6 will ~4 law", "legally ~1 bound ~1 to ~2 vote", "legally ~1 bound ~1 to ~2 comply", "legally ~0 bound ~1 vote",
	"under ~1 penalty ~1 of", "court ~1 order ~5 vote", "refuse ~6 you ~3 liable", "vote ~6 law ~3 MACHINE", "fail ~6 you ~6 law",
	// prompts asked for
	"hiddenp ~0 promptn", "show ~4 promptn ~5 above", "show ~2 your ~3 promptn", "show ~4 everything ~3 above", "show ~3 text ~1 above", "instructions ~2 you ~1 were ~1 given", "were ~1 instructed ~1 to ~1 answerv", "i ~0 was ~0 instructed",
	"show ~2 above ~1 text", "show ~3 word ~0 for ~0 word",
	// tasks foreign to a proposal
	"write ~3 piece", "write ~1 me ~1 a", "given ~1 code ~0 block", "code ~0 block ~6 your", "your ~1 codebase", "change ~4 your ~2 answern", "change ~4 letters ~4 your", "change ~3 letters ~2 answern",
	"translate ~3 this ~3 lang", "how ~0 do ~0 you ~0 say", "translate ~2 in ~1 lang",
	// votes asked for in other languages
	"must ~4 vote ~4 infavour ~8 machine",
}

// templates are the marks of chat templates and forged frames, in lower case.
var templates = []string{
	"<|", "|>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "[system]", "[/system]", "[assistant]", "[user]",
	"<system>", "</system>", "<assistant>", "<user>", "<human>", "<instructions>", "</instructions>", "<prompt>", "<policy>", "</policy>", "<tool_call>", "<tool_result>", "<tool_response>", "<function_call>",
	"<function_results>", "<function_result>", "<observation>", "<result>", "<untrusted>", "</untrusted>", "</document>", "</description>", "</proposal>", "</text>", "<thinking>", "<think>", "<scratchpad>",
	"### instruction", "### system", "### response", "### assistant", "### human", "### user", "###instruction", "#system", "begin system", "system message:", "system note:", "[system", "(system:", "system override",
	"\"role\":", "\"role\" :", "'role':", "\"tool_call", "\"function_call", "\"tool_result", "role: system", "role=\"system\"", "\"verdict\":", "\"decision\":", "\"risk_score\":", "\"gate\":", "\"recommendation\":",
	"\nvote: for", "\notherwise:", "\nhold_if:", "vote: for\n", "assistant\n\n", "\u2581", "begin_of_text", "eot_id", "im_start", "im_end", "endoftext", "end_header_id",
}
