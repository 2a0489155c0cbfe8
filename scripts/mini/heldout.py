"""Texts that are never used in training, as a visitor might type them."""

ENGLISH = (
    "The meeting has been moved to Thursday afternoon.",
    "Could you please turn down the music a little?",
    "We walked along the river until it was dark.",
    "My grandmother grows tomatoes behind the house.",
    "Your package will be delivered before noon tomorrow.",
    "I can't remember where I left my keys.",
    "The doctor told him to drink more water.",
    "A strong wind is blowing from the north today.",
    "Let's have dinner at the little place near the bridge.",
    "She speaks three languages and is learning another.",
    "Please leave a message after the tone.",
    "The children are building a castle in the sand.",
    "What time does the next bus to the airport leave?",
    "He has worked in this factory for almost ten years.",
    "The soup needs a little more salt and pepper.",
    "Nobody knew the answer to the last question.",
    "Our flight was delayed because of heavy snow.",
    "This road leads straight to the old market square.",
    "I would like a cup of tea without sugar, please.",
    "The library is closed on public holidays.",
    "They painted the kitchen yellow and the door blue.",
    "Have you ever seen such a beautiful sunset?",
    "The battery is low, please connect the charger.",
    "We should think about the future of our planet.",
    "The cat is sleeping on top of the warm computer.",
    "Turn left at the second traffic light.",
    "It doesn't matter who wins, as long as we have fun.",
    "The new version of the program is much faster.",
    "He asked me to wait outside for a moment.",
    "Fresh fish is sold at the harbour every morning.",
    "You can pay with cash or with a credit card.",
    "The teacher wrote a long word on the board.",
    "I've never been to the southern part of the country.",
    "Everyone clapped when the young singer had finished.",
    "There is still some bread left in the basket.",
    "The old clock on the wall has stopped again.",
    "Please read the instructions carefully before you start.",
    "My sister wants to become an engineer.",
    "The windows were open and we could hear the sea.",
    "How much does it cost to send this letter abroad?",
    "The company plans to open a new office in spring.",
    "Don't forget to water the plants while I'm away.",
    "The game was exciting from the first minute to the last.",
    "We need two more chairs for the guests.",
    "The mountain was hidden behind thick clouds.",
    "She closed the book and looked out of the window.",
    "Are you ready to order, or do you need more time?",
    "The police are looking for a white van.",
    "I'm sorry, but this seat is already taken.",
    "Good evening, and welcome to the nine o'clock news.",
)

CHINESE = (
    "会议改到星期四下午举行。",
    "请你把音乐的声音关小一点。",
    "我们沿着河边一直走到天黑。",
    "奶奶在屋子后面种了很多西红柿。",
    "您的包裹明天中午之前送到。",
    "我想不起来把钥匙放在哪儿了。",
    "医生让他每天多喝水。",
    "今天北风很大，出门记得穿外套。",
    "我们去桥边的那家小饭馆吃晚饭吧。",
    "她会说三种语言，现在还在学第四种。",
    "请在提示音之后留言。",
    "孩子们正在沙滩上堆城堡。",
    "去机场的下一班车几点出发？",
    "他在这家工厂工作了快十年。",
    "这碗汤还需要加一点盐和胡椒。",
    "最后一个问题没有人能回答。",
    "因为下大雪，我们的航班晚点了。",
    "这条路一直通到老城的广场。",
    "请给我来一杯不加糖的绿茶。",
    "图书馆在节假日不开门。",
    "他们把厨房刷成了黄色，把门刷成了蓝色。",
    "你见过这么美的日落吗？",
    "电量不足，请连接充电器。",
    "我们应该多想一想地球的未来。",
    "小猫正趴在暖和的电脑上睡觉。",
    "到第二个红绿灯向左转。",
    "谁赢都没关系，大家开心就好。",
    "新版本的软件比以前快多了。",
    "他让我在外面稍等一会儿。",
    "码头上每天早晨都卖新鲜的鱼。",
    "您可以用现金，也可以刷卡付款。",
    "老师在黑板上写了一个很长的词。",
    "我从来没有去过南方的海边。",
    "年轻的歌手唱完以后，全场都鼓起了掌。",
    "篮子里还剩下几块面包。",
    "墙上的旧钟又停了。",
    "使用之前请仔细阅读说明书。",
    "我妹妹长大以后想当工程师。",
    "窗户开着，我们能听见海浪的声音。",
    "把这封信寄到国外要多少钱？",
    "公司打算明年春天开一家新的办事处。",
    "我不在的时候，别忘了给花浇水。",
    "这场比赛从头到尾都很精彩。",
    "客人来了，还需要两把椅子。",
    "远处的山藏在厚厚的云层后面。",
    "她合上书，抬头望着窗外。",
    "您准备好点菜了吗，还是再看一看？",
    "警察正在寻找一辆白色的面包车。",
    "对不起，这个座位已经有人了。",
    "各位晚上好，欢迎收看今天的新闻。",
)

ENGLISH_PARAGRAPHS = (
    "When I was a child, we spent every summer in a small village by the sea. In the morning my father "
    "went fishing, and in the afternoon we collected shells on the beach. I can still smell the salt in "
    "the air and hear the cries of the birds above the boats. I haven't been back for many years, but I "
    "often dream about it.",
    "Thank you for calling our service centre. All our lines are busy at the moment, so please hold the "
    "line. You can also find answers to many questions on our website. If you would like us to call you "
    "back, press the star key and leave your number after the tone. We will get in touch with you "
    "before the end of the day.",
    "A good loaf of bread needs only flour, water, salt and time. Mix everything in a large bowl, cover "
    "it with a cloth and let it rest over night. The next day, fold the dough a few times and bake it "
    "in a very hot oven until the crust is dark brown. Let it cool before you cut it, even if that is "
    "the hardest part.",
    "The city council has decided to close the main street to cars on weekends. Shop owners were "
    "worried at first, but many of them now say that more people visit than before. There is music on "
    "the corner, children ride their bicycles, and cafes have put tables outside. Next month the "
    "council will vote again.",
    "Light travels so fast that it could circle the earth seven times in one second. Even so, the light "
    "of the nearest star needs more than four years to reach us. When we look at the night sky, we are "
    "looking into the past. Some of the stars that we see may have stopped shining long before the "
    "first human was born.",
)

_CHINESE_STORIES = (
    "小时候，每到夏天我们都会去海边的一个小村子住上一个月。早上父亲出海打鱼，下午我们就在沙滩上捡贝壳。到"
    "了晚上，大家坐在院子里吃西瓜，听爷爷讲从前的故事。海风吹过来，带着一点咸咸的味道，远处的渔船亮着灯，"
    "一闪一闪的，好像天上的星星。后来我离开家乡去城里上学，又在城里找到了工作，很多年都没有再回去过。可是"
    "每当听见海浪的声音，我还是会想起那个小小的院子。",
    "您好，感谢您致电客户服务中心。现在所有的线路都很忙，请您不要挂机，耐心等待。您也可以登录我们的网站，"
    "在那里能找到很多常见问题的答案。如果您希望我们给您回电话，请按星号键，然后在提示音之后留下您的姓名和"
    "号码。我们的工作人员会在今天下班之前跟您联系。为了提高服务质量，您的通话可能会被录音。再次感谢您的支"
    "持，祝您生活愉快。",
    "做一个好吃的面包，其实只需要面粉、水、盐和时间。先把所有的材料放进一个大碗里搅拌均匀，盖上一块干净的"
    "布，让面团休息一个晚上。第二天早上，把面团轻轻地折几次，再放到温暖的地方等它慢慢变大。烤箱一定要提前"
    "加热，温度越高越好。烤到表面变成深棕色的时候，就可以拿出来了。最难的一步是等它放凉以后再切，因为满屋"
    "子都是香味，谁都想马上尝一口。",
    "市政府最近决定，周末的时候主要的街道不再让汽车通行。开始的时候，很多商店的老板都很担心，怕客人会变少"
    "。可是几个星期以后，他们发现来逛街的人反而比以前更多了。街角有人唱歌，孩子们骑着自行车跑来跑去，咖啡"
    "店把桌子搬到了外面，老人们坐在树下聊天下棋。下个月大家还要再投一次票，如果多数人同意，这个办法就会一"
    "直用下去。",
    "光跑得非常快，一秒钟就可以绕地球七圈半。即使这样，离我们最近的那颗恒星发出的光，也要走四年多才能到达"
    "地球。所以，当我们抬头看夜空的时候，其实看到的是过去的样子。有些星星可能早就已经不再发光了，只是它最"
    "后的光还在路上。科学家们用巨大的望远镜收集这些微弱的光，就像翻开一本很老很老的书，一页一页地读出宇宙"
    "的历史。也许有一天，我们会在这本书里找到另一个有生命的世界。",
)

# Paragraphs of 159 to 339 characters.
CHINESE_PARAGRAPHS = (
    _CHINESE_STORIES[1],
    _CHINESE_STORIES[2],
    _CHINESE_STORIES[4],
    _CHINESE_STORIES[0] + _CHINESE_STORIES[2],
    _CHINESE_STORIES[3] + _CHINESE_STORIES[4],
)
