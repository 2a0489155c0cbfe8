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

# Texts of at most 30 s whose sentences have two to five clauses.
CHINESE_CLAUSES = (
    "周末的早晨，爸爸带着我去山里爬山，路边开满了黄色的小花，空气里有青草的味道，我们走得很慢。到了山顶以"
    "后，太阳刚好升起来，远处的湖面闪着金色的光，大家都安静地看着，谁也没有说话。",
    "这家面馆开在小巷里，门口只摆了三张桌子，老板每天四点起床，自己和面，自己熬汤。客人大多是附近的邻居，"
    "吃完了面还要坐一会儿，聊聊孩子和天气，说说今年的菜价。",
    "火车晚点了两个小时，候车室里挤满了人，有的在睡觉，有的在看手机，还有一个小孩一直在哭。我买了一杯热茶"
    "，靠着窗户坐下来，看外面的雪越下越大，心里反而不着急了。",
    "邻居家的小狗很聪明，每天下午五点就蹲在门口，等小主人放学回家。有一次下大雨，它自己跑到学校门口，身上"
    "全湿了，老师们都笑了，给它擦干了毛，还喂了一块饼干。",
    "妈妈学会了用电脑，先是看新闻，后来开始写日记，现在每天晚上都要写一页，写完了才肯去睡觉。她说年轻的时"
    "候没有时间，现在有了时间，就把过去的事情慢慢写下来，留给我们看。",
    "医生告诉他，要少吃盐，多走路，每天早点睡，不要总是坐着。他点点头，回到家里却忘得干干净净，晚上又坐在"
    "电视前面，一边吃花生，一边看球赛，直到半夜才上床。",
    "图书馆的三楼很安静，靠窗的位子最受欢迎，早上八点开门，不到九点就坐满了人。我喜欢坐在角落里，带一壶水"
    "，带两本书，读累了就看看楼下的银杏树，一个下午很快就过去了。",
    "老城墙已经有六百年的历史，砖头上还能看见工匠的名字，傍晚的时候，很多人在上面散步，也有人放风筝。城墙"
    "外面是新的高楼，里面是旧的院子，站在中间看过去，好像同时看见了两个时代。",
    "她第一次上台表演，手心全是汗，音乐响了两遍才开始唱，声音有一点抖，但是没有唱错。最后一个音落下来的时"
    "候，台下先是很静，然后响起了掌声，她看见母亲站在最后一排，用力地挥着手。",
    "今年的苹果长得特别好，又大又红，价钱却比去年便宜，果农们都很发愁。村里的年轻人想了一个办法，在网上卖"
    "苹果，还拍了视频介绍果园，不到一个月，仓库里的苹果就卖光了。",
    "半夜里突然停电，整栋楼一片漆黑，有人打开窗户喊，有人拿着手电筒跑下楼。我点了一支蜡烛，坐在桌子旁边，"
    "听见楼上的老人在弹琴，声音很轻，好像怕吵醒别人。",
    "弟弟决定学做木工，先买了一把锯子，又借来一本旧书，每天放学就在院子里敲敲打打。第一个作品是一把歪歪的"
    "椅子，坐上去会摇，可是爷爷说很好，把它放在门口，每天都坐在上面晒太阳。",
)

ENGLISH_CLAUSES = (
    "On Saturday morning we took the early train to the coast, and although the sky was grey, nobody "
    "wanted to stay at home. We walked along the cliffs for an hour, ate our sandwiches behind a "
    "wall, and watched the boats come in.",
    "The old baker gets up at three, lights the oven, and mixes the dough by hand, because he does "
    "not trust machines. By six the first people stand in line, the shop smells of warm bread, and he "
    "finally sits down with a cup of coffee.",
    "When the power went out, the whole street became silent, and for a moment nobody moved. Then a "
    "door opened, somebody laughed, and the children came running with candles, as if they had waited "
    "for this night all year.",
    "My brother wanted to build a chair, so he bought a saw, borrowed a book, and worked in the "
    "garden every day after school. The first chair was crooked, it moved when you sat on it, but our "
    "grandfather liked it and kept it by the door.",
    "The doctor told him to walk more, to sleep longer, and to eat less salt, and he promised to do "
    "all of it. That evening he sat in front of the television again, ate a bag of nuts, and went to "
    "bed after midnight.",
    "She had never sung in front of people before, her hands were cold, and the music began twice "
    "before she found her voice. When the last note was over it was very quiet, then everybody "
    "clapped, and she saw her mother in the back row.",
    "There is a small library on the corner, open until nine, where students sit by the window and "
    "read. In winter it is the warmest place in town, so people bring their lunch, talk in low "
    "voices, and stay until it gets dark.",
    "The apples were large and red this year, but the price was low, and the farmers did not know "
    "what to do. Some young people in the village made a film about the orchard, put it on the "
    "internet, and sold every box within a month.",
    "Our train was two hours late, the waiting room was full, and a baby cried the whole time. I "
    "bought some tea, found a seat near the window, and watched the snow fall until I was no longer "
    "angry.",
    "The dog waits at the gate every afternoon, and when the school bus comes around the corner, it "
    "begins to bark. Once it ran all the way to the school in the rain, so the teachers dried it with "
    "a towel, and gave it a biscuit.",
)
