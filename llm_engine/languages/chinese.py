"""Chinese: the longest phrase at each place is a word."""

VOCABULARY = """
verb scale: 伸缩 | 调整规模
verb autoscale: 自动扩缩容 | 自动伸缩 | 自动扩缩
verb pause: 暂停 | 冻结 | 挂起 | 停止自动扩缩容 | 停止自动伸缩 | 暂停自动扩缩容
verb resume: 恢复 | 继续 | 取消暂停 | 解冻
verb explain: 为什么 | 为何 | 解释 | 说明 | 怎么了 | 怎么样 | 原因
verb undo: 撤销 | 回滚 | 撤回
verb prefer: 优先 | 优先考虑 | 优化 | 最小化 | 最大化 | 节省 | 偏好
verb schedule: 定时 | 排程
verb deploy: 部署 | 上线 | 安装
verb delete: 删除 | 卸载 | 下线
verb migrate: 迁移 | 移动 | 搬到 | 移到 | 迁到
verb defragment: 整理碎片 | 碎片整理
automation: 自动扩缩容功能
on: 启用 | 打开 | 启动
hint: 设置 | 设为 | 必须 | 应该 | 应 | 需要 | 确保 | 保证 | 请 | 让 | 使 | 要 | 可以 |
    可 | 允许 | 调整
hint keep: 保持 | 维持
up: 扩容 | 扩展 | 扩充 | 增大 | 提高 | 提升 | 上调 | 扩大
up add: 增加 | 添加 | 新增 | 加
down: 缩容 | 缩减 | 降低 | 减小 | 降到 | 下调
down take: 减少 | 移除 | 去掉
upper bare: 低于 | 小于 | 少于 | 快于
upper: 不超过 | 不得超过 | 不能超过 | 不要超过 | 不可超过 | 至多 | 最多 | 最大 | 上限 | 以下 |
    以内 | 之内 | 限制为 | 限制 | 不高于 | 不大于 | 不多于 | 最高
lower bare: 高于 | 大于 | 超过 | 多于
lower: 至少 | 最少 | 最小 | 下限 | 以上 | 不少于 | 不低于 | 不小于 | 最低
negation: 不 | 不要 | 不能 | 不得 | 别 | 绝不 | 永不 | 没有 | 切勿
more: 更多 | 额外 | 另外
factor 2: 翻倍 | 加倍 | 增加一倍
factor 3: 增加两倍 | 三倍
factor 0.5: 减半 | 缩减一半 | 一半
metric ttft: 首个 token 时间 | 首 token 时间 | 首个 token 延迟 | 首 token 延迟 |
    首个 token | 首 token | 首字延迟 | ttft
metric tpot: 每个 token 时间 | 每 token 时间 | 每个输出 token 时间 | token 间延迟
    | 每 token 延迟 | tpot
metric e2e: 端到端 | 端到端延迟 | 总延迟 | e2e
latency e2e: 延迟 | 时延 | 响应时间 | 响应 | 回答 | 应答
metric cost_per_hour: 成本 | 费用 | 花费 | 花 | 预算 | 价格 | 开销
metric watts: 功率 | 功耗 | 用电
metric error_rate: 错误率 | 失败率 | 出错率 | 错误
metric attainment: 达标率 | slo | slo 达标率
objective energy: 能耗 | 节能 | 能源 | 能量 | 电能
objective throughput: 吞吐量 | 吞吐
objective fairness: 公平性 | 公平
weight: 权重 | 权重为
unit ms: ms | 毫秒
unit s: s | 秒 | 秒钟
unit min: 分钟
unit h: h | 小时 | 个小时
unit d: 天
unit w: 周 | 星期
unit usd: usd | $ | 美元
unit eur: eur | € | 欧元
unit foreign: 元 | 人民币 | 英镑 | 日元
unit W: w | 瓦 | 瓦特
unit kW: kw | 千瓦
unit gpus: gpu | gpus | 显卡
unit replicas: 副本 | 实例 | 副本数 | 副本数量 | replicas | replica | pod
unit percent: %
unit times: 倍 | x
period hour: 每小时 | 一小时 | / 小时 | / h
period day: 每天的成本 | / 天
everything: 所有服务 | 全部服务 | 所有 | 全部 | 整个集群 | 所有的服务
confidential: 机密 | 机密 gpu
namespace: 命名空间
node: 节点
zone: 可用区 | 区域
partition: 分区 | 切片
between: 介于
from: 从
to to: 到 | 至 | 为
to: 在 | 于 | 的 | 是 | : | \uff1a | =
for: 持续 | 为期
until: 直到 | 截至
and: 和 | 与 | 并 | 并且 | 以及 | & | 且
separator comma: , | \uff0c | 、
separator dash: - | \u2013 | ~
separator: ; | \uff1b | . | 。 | ! | \uff01 | ? | \uff1f | 但 | 但是 |
    然后 | 同时 | 而且 | 而
intent: 意图
vague stop: 停止 | 关闭 | 停掉 | 停用
vague restart: 重启
vague amount: 更快 | 更便宜 | 快一点 | 便宜一点 | 一些 | 几个 | 明天 | 稍微
vague condition: 如果 | 当 | 若
vague or: 或 | 或者 | 还是 | 也许
vague except: 除了 | 除
filler measure: 个 | 块 | 台 | 张
filler requests: 的请求 | 请求
filler: 把 | 将 | 给 | 对 | 很 | 慢 | 太 | 之间 | 了 | 吧 | 吗 | 呢 | 服务 | 模型 |
    使用 | 用 | 占用 | 运行 | 跑 | 时间 | 值 | 我 | 我们 | 现在 | 始终 | 总是 | 都 | 各
    | 谢谢 | 你好 | 它 | 其 | 有 | 上 | 里 | 数量 | 数 | 内 | 次 | 做 | 会 | 能 |
    每个 | 消耗
days mon: 周一 | 星期一
days tue: 周二 | 星期二
days wed: 周三 | 星期三
days thu: 周四 | 星期四
days fri: 周五 | 星期五
days sat: 周六 | 星期六
days sun: 周日 | 星期日 | 星期天
days mon,tue,wed,thu,fri: 工作日
days sat,sun: 周末
days mon,tue,wed,thu,fri,sat,sun: 每天 | 每日
number 0: 零
number 1: 一
number 2: 二 | 两
number 3: 三
number 4: 四
number 5: 五
number 6: 六
number 7: 七
number 8: 八
number 9: 九
number 10: 十
number 20: 二十
number 30: 三十
number 40: 四十
number 50: 五十
number 100: 一百
everything each: 每个服务
"""
